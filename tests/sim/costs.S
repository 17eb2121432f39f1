@ Functions with costs counted by hand from Arm's tables (Cortex-M0 TRM r0p0 3-1, Cortex-M0+ TRM
@ r0p1 3-1).  Before each function, for tests/cli/measure_counts.sh:
@ expect NAME m0 CYCLES m0plus CYCLES instructions N stack BYTES loads N stores N flash N taken N
@ Beside each instruction: its cycles, on M0 / M0+ where they differ.

        .syntax unified
        .cpu cortex-m0
        .thumb
        .text

        .macro function name
        .global \name
        .type \name, %function
        .thumb_func
        .balign 4
\name:
        .endm

@ expect leaf m0 3 m0plus 2 instructions 1 stack 0 loads 0 stores 0 flash 0 taken 1
        function leaf
        bx lr                   @ 3 / 2

@ Shifts, additions, moves, data processing, extension, byte order, high registers, hints: 1 each.
@ 41 of them, and the return.
@ expect alu m0 44 m0plus 43 instructions 42 stack 0 loads 0 stores 0 flash 0 taken 1
        function alu
        lsls r0, r0, #1
        lsrs r0, r0, #1
        asrs r0, r0, #1
        adds r0, r0, r1
        subs r0, r0, r1
        adds r0, r0, #3
        subs r0, r0, #3
        movs r0, #1
        cmp r0, #1
        adds r0, #200           @ 10
        subs r0, #200
        ands r0, r1
        eors r0, r1
        lsls r0, r1
        lsrs r0, r1
        asrs r0, r1
        adcs r0, r1
        sbcs r0, r1
        rors r0, r1
        tst r0, r1              @ 20
        rsbs r0, r1, #0
        cmp r0, r1
        cmn r0, r1
        orrs r0, r1
        muls r0, r1, r0         @ single-cycle multiplier
        bics r0, r1
        mvns r0, r1
        add r0, r12
        cmp r0, r12
        mov r0, r12             @ 30
        mov r12, r0
        adr r0, constant
        add r0, sp, #4
        sxth r0, r1
        sxtb r0, r1
        uxth r0, r1
        uxtb r0, r1
        rev r0, r1
        rev16 r0, r1
        revsh r0, r1            @ 40
        nop
        bx lr

@ Loads and stores of one register: 2 each; 14 of them (28), with 3 + 1 others.
@ expect memory m0 35 m0plus 34 instructions 19 stack 8 loads 8 stores 6 flash 1 taken 1
        function memory
        sub sp, #8              @ 1
        movs r1, #0             @ 1
        ldr r0, constant        @ 2, reads flash
        str r0, [sp, #4]        @ 2
        mov r2, sp              @ 1
        str r0, [r2]            @ 2
        str r0, [r2, r1]        @ 2
        strh r0, [r2, #2]       @ 2
        strh r0, [r2, r1]       @ 2
        strb r0, [r2, #3]       @ 2
        ldr r0, [sp, #4]        @ 2
        ldr r0, [r2, r1]        @ 2
        ldrh r0, [r2, #6]       @ 2
        ldrsh r0, [r2, r1]      @ 2
        ldrb r0, [r2, #1]       @ 2
        ldrsb r0, [r2, r1]      @ 2
        ldrb r0, [r2, r1]       @ 2
        add sp, #8              @ 1
        bx lr                   @ 3 / 2
        .balign 4
constant:
        .word 0x12345678

@ Several registers: 1 + N; POP {.., PC}: 4 + N on M0, 3 + N on M0+, PC counted in N.
@ expect several m0 25 m0plus 24 instructions 8 stack 28 loads 7 stores 7 flash 0 taken 1
        function several
        push {r4, r5, r6, lr}   @ 5
        sub sp, #12             @ 1
        mov r3, sp              @ 1
        stmia r3!, {r0, r1, r2} @ 4
        subs r3, #12            @ 1
        ldmia r3!, {r4, r5, r6} @ 4
        add sp, #12             @ 1
        pop {r4, r5, r6, pc}    @ 8 / 7

@ expect several_push m0 11 m0plus 10 instructions 3 stack 12 loads 3 stores 3 flash 0 taken 1
        function several_push
        push {r5, r6, r7}       @ 4
        pop {r5, r6, r7}        @ 4
        bx lr                   @ 3 / 2

@ A conditional branch: 1 not taken; taken 3 on M0, 2 on M0+.  Five rounds of the loop: four
@ branches taken (3 / 2), one not.
@ expect loop m0 22 m0plus 17 instructions 12 stack 0 loads 0 stores 0 flash 0 taken 5
        function loop
        movs r0, #5             @ 1
1:      subs r0, #1             @ 5 x 1
        bne 1b                  @ 4 x 3 + 1 / 4 x 2 + 1
        bx lr                   @ 3 / 2

@ A branch to the very next instruction costs as a taken one where its condition holds (beq),
@ else 1 (bne).
@ expect next m0 8 m0plus 6 instructions 4 stack 0 loads 0 stores 0 flash 0 taken 2
        function next
        cmp r0, r0              @ 1
        .short 0xd0ff           @ beq .+2: 3 / 2
        .short 0xd1ff           @ bne .+2: 1
        bx lr                   @ 3 / 2

@ Every condition: after cmp r0, r0 (Z and C set) EQ CS PL VC LS GE LE hold, 7 of 14.
@ expect conditions m0 32 m0plus 24 instructions 16 stack 0 loads 0 stores 0 flash 0 taken 8
        function conditions
        cmp r0, r0              @ 1
        .short 0xd0ff           @ eq taken
        .short 0xd1ff           @ ne
        .short 0xd2ff           @ cs taken
        .short 0xd3ff           @ cc
        .short 0xd4ff           @ mi
        .short 0xd5ff           @ pl taken
        .short 0xd6ff           @ vs
        .short 0xd7ff           @ vc taken
        .short 0xd8ff           @ hi
        .short 0xd9ff           @ ls taken
        .short 0xdaff           @ ge taken
        .short 0xdbff           @ lt
        .short 0xdcff           @ gt
        .short 0xddff           @ le taken
        bx lr                   @ 3 / 2

@ Branches: B, BLX, BX, MOV pc and ADD pc 3 / 2, BL 4 / 3.
@ expect branches m0 36 m0plus 28 instructions 14 stack 8 loads 2 stores 2 flash 0 taken 8
        function branches
        push {r4, lr}           @ 3
        b 1f                    @ 3 / 2
        nop
1:      bl leaf                 @ 4 / 3, and there 3 / 2
        adr r0, 4f              @ 1
        adds r0, #1             @ 1
        blx r0                  @ 3 / 2, and there 3 / 2
        adr r0, 2f              @ 1
        mov pc, r0              @ 3 / 2
        .balign 4
2:      movs r0, #0             @ 1
        add pc, r0              @ 3 / 2: to the second instruction behind it
        nop
        movs r0, #1             @ 1
        pop {r4, pc}            @ 6 / 5
        .balign 4
4:      bx lr

@ MRS, MSR and barriers: 4 on M0, 3 on M0+; CPS and hints 1.
@ expect system m0 27 m0plus 21 instructions 10 stack 0 loads 0 stores 0 flash 0 taken 1
        function system
        mrs r0, APSR            @ 4 / 3
        msr APSR_nzcvq, r0      @ 4 / 3
        dmb                     @ 4 / 3
        dsb                     @ 4 / 3
        isb                     @ 4 / 3
        cpsid i                 @ 1
        cpsie i                 @ 1
        nop                     @ 1
        sev                     @ 1
        bx lr                   @ 3 / 2

@ The stack of a call below: 8 here, 24 in deep.
@ expect caller m0 30 m0plus 27 instructions 7 stack 32 loads 7 stores 7 flash 0 taken 3
        function caller
        push {r4, lr}           @ 3
        bl deep                 @ 4 / 3
        pop {r4, pc}            @ 6 / 5
        function deep
        push {r4, r5, r6, r7, lr} @ 6: with the word below 24 bytes
        sub sp, #4              @ 1
        add sp, #4              @ 1
        pop {r4, r5, r6, r7, pc}  @ 9 / 8

@ Ten bytes in, their sum out: called once per vector with --write and --read.
@ expect sum m0 91 m0plus 81 instructions 55 stack 8 loads 12 stores 3 flash 0 taken 10
        function sum
        push {r4, lr}           @ 3
        movs r2, #0             @ 1
        movs r3, #0             @ 1
1:      ldrb r4, [r0, r3]       @ 10 x 2
        adds r2, r2, r4         @ 10 x 1
        adds r3, #1             @ 10 x 1
        cmp r3, #10             @ 10 x 1
        blt 1b                  @ 9 x 3 + 1 / 9 x 2 + 1
        str r2, [r1]            @ 2
        pop {r4, pc}            @ 6 / 5

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
