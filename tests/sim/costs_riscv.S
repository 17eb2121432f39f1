# Functions with costs counted by hand by the model of src/sim/rv32.h: 1 per instruction, 1 more per
# load, 2 more per taken branch or jump, 2 more per multiplication.  Before each function, for
# tests/cli/measure_counts_riscv.sh:
# expect NAME cycles N instructions N stack BYTES loads N stores N flash N multiplies N taken N
# Only registers that RV32E has; the multiplying function runs where the core multiplies.

        .text

        .macro function name
        .global \name
        .type \name, %function
        .balign 4
\name:
        .endm

# expect leaf cycles 3 instructions 1 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function leaf
        c.jr ra                 # 3

# Every plain operation in its long form: 1 each; 23 of them, and the return.
# expect long cycles 26 instructions 24 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function long
        .option push
        .option norvc
        lui a0, 1
        auipc a0, 1
        addi a0, a0, 1
        slti a0, a0, 1
        sltiu a0, a0, 1
        xori a0, a0, 1
        ori a0, a0, 1
        andi a0, a0, 1
        slli a0, a0, 31
        srli a0, a0, 31
        srai a0, a0, 31         # 11
        add a0, a0, a1
        sub a0, a0, a1
        sll a0, a0, a1
        slt a0, a0, a1
        sltu a0, a0, a1
        xor a0, a0, a1
        srl a0, a0, a1
        sra a0, a0, a1
        or a0, a0, a1
        and a0, a0, a1          # 21
        fence
        nop
        jalr x0, 0(ra)          # 3
        .option pop

# The same compressed: 15 of them.
# expect compressed cycles 18 instructions 16 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 1
        function compressed
        c.nop
        c.addi a0, 1
        c.li a0, 1
        c.lui a0, 1
        c.srli a0, 1
        c.srai a0, 1
        c.andi a0, 1
        c.sub a0, a1
        c.xor a0, a1
        c.or a0, a1
        c.and a0, a1
        c.slli a0, 1
        c.mv a0, a1
        c.add a0, a1
        c.addi4spn a0, sp, 4    # 15
        c.jr ra                 # 3

# Loads 2, stores 1; one load reads flash: 8 x 2 + 5 x 1 + 6 others (2 + 4) + 3.
# expect memory cycles 29 instructions 19 stack 16 loads 8 stores 5 flash 1 multiplies 0 taken 1
        function memory
        c.addi16sp sp, -16      # 1
        lui a0, %hi(constant)   # 1
        addi a0, a0, %lo(constant) # 1
        c.lw a1, 0(a0)          # 2, reads flash
        c.swsp a1, 12(sp)       # 1
        c.mv a2, sp             # 1
        c.sw a1, 4(a2)          # 1
        .option push
        .option norvc
        sw a1, 0(a2)            # 1
        sh a1, 8(a2)            # 1
        sb a1, 10(a2)           # 1
        lw a1, 0(a2)            # 2
        lh a1, 8(a2)            # 2
        lhu a1, 8(a2)           # 2
        lb a1, 10(a2)           # 2
        lbu a1, 10(a2)          # 2
        .option pop
        c.lw a1, 4(a2)          # 2
        c.lwsp a1, 12(sp)       # 2
        c.addi16sp sp, 16       # 1
        c.jr ra                 # 3
        .balign 4
constant:
        .word 0x12345678

# A conditional branch: 1 not taken, 3 taken.  Five rounds: four branches taken, one not.
# expect loop cycles 22 instructions 12 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 5
        function loop
        c.li a0, 5              # 1
1:      c.addi a0, -1           # 5 x 1
        c.bnez a0, 1b           # 4 x 3 + 1
        c.jr ra                 # 3

# expect loop_long cycles 22 instructions 12 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 5
        function loop_long
        c.li a0, 5              # 1
        .option push
        .option norvc
1:      addi a0, a0, -1         # 5 x 1
        blt x0, a0, 1b          # 4 x 3 + 1
        ret                     # 3
        .option pop

# A branch to the very next instruction costs as a taken one where its condition holds.  a0 is -1
# and a1 is 1: NE LT GEU and BNEZ are taken, of equals EQ GE GEU:
# 7 x 3 + 7 x 1 + 2 + 3.
# expect next cycles 33 instructions 17 stack 0 loads 0 stores 0 flash 0 multiplies 0 taken 8
        function next
        c.li a0, -1             # 1
        c.li a1, 1              # 1
        .option push
        .option norvc
        .insn b 0x63, 0, a0, a1, .+4 # EQ
        .insn b 0x63, 1, a0, a1, .+4 # NE taken
        .insn b 0x63, 4, a0, a1, .+4 # LT taken
        .insn b 0x63, 5, a0, a1, .+4 # GE
        .insn b 0x63, 6, a0, a1, .+4 # LTU
        .insn b 0x63, 7, a0, a1, .+4 # GEU taken
        .insn b 0x63, 0, a0, a0, .+4 # EQ taken
        .insn b 0x63, 1, a0, a0, .+4 # NE
        .insn b 0x63, 4, a0, a0, .+4 # LT
        .insn b 0x63, 5, a0, a0, .+4 # GE taken
        .insn b 0x63, 6, a0, a0, .+4 # LTU
        .insn b 0x63, 7, a0, a0, .+4 # GEU taken
        .option pop
        .short 0xc109           # c.beqz a0, .+2
        .short 0xe109           # c.bnez a0, .+2: taken
        c.jr ra                 # 3

# Jumps: 3 each; 7 of 16 instructions stay in line, one of them a load: 9 x 3 + 6 + 2.
# expect jumps cycles 35 instructions 16 stack 4 loads 1 stores 1 flash 0 multiplies 0 taken 9
        function jumps
        c.addi sp, -4           # 1
        c.swsp ra, 0(sp)        # 1
        c.j 1f                  # 3
        c.nop
1:      jal ra, leaf            # 3, and there 3
        c.jal leaf              # 3, and there 3
        lui a0, %hi(leaf)       # 1
        addi a0, a0, %lo(leaf)  # 1
        c.jalr a0               # 3, and there 3
        c.lwsp ra, 0(sp)        # 2
        c.addi sp, 4            # 1
        .option push
        .option norvc
        j 2f                    # 3
2:      .option pop
        c.nop
        c.jr ra

# Four multiplications, 3 each, and the return.
# expect products cycles 15 instructions 5 stack 0 loads 0 stores 0 flash 0 multiplies 4 taken 1
        function products
        mul a0, a0, a1
        mulh a0, a0, a1
        mulhsu a0, a0, a1
        mulhu a0, a0, a1
        c.jr ra                 # 3

# The stack of a call below: 4 here, 32 in deep.  3 taken (9), one load (2), 6 others.
# expect caller cycles 17 instructions 10 stack 36 loads 1 stores 2 flash 0 multiplies 0 taken 3
        function caller
        c.addi sp, -4           # 1
        c.swsp ra, 0(sp)        # 1
        c.jal deep              # 3
        c.lwsp ra, 0(sp)        # 2
        c.addi sp, 4            # 1
        c.jr ra                 # 3
        function deep
        c.addi16sp sp, -32      # 1
        c.swsp a0, 8(sp)        # 1
        c.addi16sp sp, 32       # 1
        c.jr ra                 # 3

# Ten bytes in, their sum out: called once per vector with --write and --read.
# expect sum cycles 85 instructions 55 stack 0 loads 10 stores 1 flash 0 multiplies 0 taken 10
        function sum
        c.li a2, 0              # 1
        addi a4, a0, 10         # 1
1:      lbu a3, 0(a0)           # 10 x 2
        c.add a2, a3            # 10 x 1
        c.addi a0, 1            # 10 x 1
        c.nop                   # 10 x 1
        bne a0, a4, 1b          # 9 x 3 + 1
        c.sw a2, 0(a1)          # 1
        c.mv a0, a2             # 1
        c.jr ra                 # 3

        .bss
        .balign 4
        .global vector
        .type vector, %object
        .size vector, 10
vector: .space 10
        .balign 4
        .global result
        .type result, %object
        .size result, 4
result: .space 4
