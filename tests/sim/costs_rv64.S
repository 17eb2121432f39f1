# Functions of RV64IMC whose instructions are counted by hand, for
# tests/cli/measure_counts_riscv.sh:
# expect NAME instructions N stack BYTES loads N stores N multiplies N taken N

        .text

        .macro function name
        .global \name
        .type \name, %function
        .balign 4
\name:
        .endm

# What RV32 lacks: 17, a constant, and the return.
# expect wide instructions 19 stack 0 loads 0 stores 0 multiplies 2 taken 1
        function wide
        c.li a0, -1
        c.addiw a0, 5
        addiw a0, a0, 1000
        addw a0, a0, a1
        subw a0, a0, a1
        c.addw a0, a1
        c.subw a0, a1
        sllw a0, a0, a1
        srlw a0, a0, a1
        sraw a0, a0, a1
        slliw a0, a0, 31
        srliw a0, a0, 31
        sraiw a0, a0, 31
        slli a0, a0, 63
        c.srli a0, 33
        mulw a0, a0, a1
        mul a0, a0, a1
        divuw a0, a0, a1
        c.jr ra

# Double words on the stack, and words by sign and without.
# expect memory instructions 13 stack 32 loads 5 stores 4 multiplies 0 taken 1
        function memory
        c.addi16sp sp, -32
        c.sdsp ra, 24(sp)
        sd a0, 16(sp)
        mv a2, sp
        c.sd a0, 8(a2)
        sw a0, 0(sp)
        lwu a3, 0(sp)
        lw a3, 0(sp)
        c.ld a3, 8(a2)
        ld a3, 16(sp)
        c.ldsp ra, 24(sp)
        c.addi16sp sp, 32
        c.jr ra

# Branches on 64 bits: the low halves are equal.
# expect branches instructions 6 stack 0 loads 0 stores 0 multiplies 0 taken 2
        function branches
        c.li a0, 1
        slli a0, a0, 32
        .option push
        .option norvc
        beq a0, x0, .+4         # not
        bne a0, x0, .+4         # taken
        blt a0, x0, .+4         # not
        .option pop
        c.jr ra

        .bss
        .global vector
        .type vector, %object
        .size vector, 8
vector: .space 8
