# Functions that the counting program must refuse on a core, for tests/cli/measure_counts_riscv.sh:
# fault NAME CORE: what the message must contain

        .text

        .macro function name
        .global \name
        .type \name, %function
        .balign 4
\name:
        .endm

# Registers that RV32E lacks; Unicorn executes each of them.
# fault high_target rv32ec: no instruction of RV32EC that
        function high_target
        addi a6, a0, 1
        ret

# fault high_source rv32emc: no instruction of RV32EC with Zmmul that
        function high_source
        add a0, a0, t3
        ret

# fault high_move rv32ec: no instruction of RV32EC that
        function high_move
        c.mv a0, s2
        ret

# fault high_store rv32ec: no instruction of RV32EC that
        function high_store
        sw t6, -4(sp)
        ret

# fault high_branch rv32ec: no instruction of RV32EC that
        function high_branch
        beq a0, s11, 1f
1:      ret

# Multiplication and division that the core lacks.
# fault multiply rv32ec: no instruction of RV32EC that
        function multiply
        mul a0, a0, a1
        ret

# fault divide rv32emc: no instruction of RV32EC with Zmmul that
        function divide
        div a0, a0, a1
        ret

# fault remainder rv32ec: no instruction of RV32EC that
        function remainder
        remu a0, a0, a1
        ret

# Other extensions, and what measured code has no use for.
# fault atomic rv32imc: no instruction of RV32IMC that
        function atomic
        .word 0x1005a52f        # lr.w a0, (a1)
        ret

# fault floating rv32imc: no instruction of RV32IMC that
        function floating
        .word 0x00b57553        # fadd.s fa0, fa0, fa1
        ret

# fault floating_load rv32imc: no instruction of RV32IMC that
        function floating_load
        .short 0x6188           # c.flw fa0, 0(a1)
        ret

# fault status rv32imc: no instruction of RV32IMC that
        function status
        .word 0xc0002573        # rdcycle a0
        ret

# fault breakpoint rv32imc: no instruction of RV32IMC that
        function breakpoint
        c.ebreak
        ret

# fault supervisor rv32imc: no instruction of RV32IMC that
        function supervisor
        ecall
        ret

# fault zeros rv32imc: no instruction of RV32IMC that
        function zeros
        .short 0
        ret

# fault ones rv32imc: no instruction of RV32IMC that
        function ones
        .word 0xffffffff
        ret

# fault wide_shift rv32imc: no instruction of RV32IMC that
        function wide_shift
        .word 0x02051513        # slli a0, a0, 32
        ret

# Accesses.
# fault unaligned_word rv32ec: unaligned read of 4 bytes at 0x80100001
        function unaligned_word
        lui a0, 0x80100
        lw a0, 1(a0)
        ret

# fault unaligned_half rv32ec: unaligned write of 2 bytes at 0x80100003
        function unaligned_half
        lui a0, 0x80100
        sh a0, 3(a0)
        ret

# fault write_flash rv32ec: write of 4 bytes outside of RAM at 0x80000010
        function write_flash
        lui a0, 0x80000
        sw a0, 16(a0)
        ret

# fault read_nowhere rv32ec: read of 1 bytes outside of RAM and flash at 0x50000000
        function read_nowhere
        lui a0, 0x50000
        lbu a0, 0(a0)
        ret

# fault read_past_ram rv32ec: read of 4 bytes outside of RAM and flash at 0x80104000
        function read_past_ram
        lui a0, 0x80104
        lw a0, 0(a0)
        ret

# Control.
# fault run_in_ram rv32ec: execution outside of flash at 0x80100000
        function run_in_ram
        lui a0, 0x80100
        jr a0

# fault run_off_the_code rv32ec: no instruction of RV32EC that
        function run_off_the_code
        lui a0, 0x80008
        jr a0

# fault endless rv32ec: still running after 100000 instructions
        function endless
        j endless

# fault recursion rv32ec: stack overflow
        function recursion
        addi sp, sp, -16
        sw ra, 0(sp)
        jal recursion
        lw ra, 0(sp)
        addi sp, sp, 16
        ret

# fault big_frame rv32ec: stack overflow
        function big_frame
        lui a0, 5
        sub sp, sp, a0
        nop
        add sp, sp, a0
        ret

# fault clobber rv32ec: does not preserve s1
        function clobber
        li s1, 0
        ret

# fault clobber_high rv32imc: does not preserve s11
        function clobber_high
        li s11, 0
        ret

# fault unbalanced rv32ec: another SP
        function unbalanced
        addi sp, sp, -16
        ret
