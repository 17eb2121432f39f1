@ Functions of ARMv7-M whose instructions are counted by hand, for tests/cli/measure_counts_thumb2.sh:
@ expect NAME instructions N stack BYTES loads N stores N multiplies N taken N

        .syntax unified
        .cpu cortex-m4
        .thumb
        .text

        .macro function name
        .global \name
        .type \name, %function
        .thumb_func
        .balign 4
\name:
        .endm

@ expect leaf instructions 1 stack 0 loads 0 stores 0 multiplies 0 taken 1
        function leaf
        bx lr

@ Data processing of 32 bits: 29, and the return.
@ expect alu instructions 30 stack 0 loads 0 stores 0 multiplies 0 taken 1
        function alu
        movw r0, #0x1234
        movt r0, #0x5678
        mov.w r1, #0x00ff00ff
        mvn r2, r0
        add.w r3, r0, r1, lsl #3
        sub.w r3, r3, r12
        rsb r3, r3, #0
        adc.w r3, r3, r1
        sbc.w r3, r3, #4
        and.w r3, r0, r1, asr #5 @ 10
        orr r3, r3, #0x8000
        orn r3, r3, r1
        eor.w r3, r3, r1, ror #7
        bic r3, r3, #3
        tst.w r3, #1
        teq r3, r1
        cmp.w r3, #0x100
        cmn.w r3, r1
        addw r3, r3, #4095
        subw r3, r3, #4095      @ 20
        lsl.w r3, r3, r1
        sxth.w r2, r0, ror #8
        uxtb.w r2, r0, ror #16
        rbit r2, r0
        clz r2, r0
        sbfx r2, r0, #4, #8
        ubfx r2, r0, #4, #8
        bfi r2, r0, #4, #8
        ssat r2, #8, r0, asr #1
        bx lr

@ Loads and stores: one instruction each, however many words.
@ expect memory instructions 19 stack 56 loads 19 stores 18 multiplies 0 taken 1
        function memory
        push.w {r4-r11, lr}     @ 9 stores
        sub.w sp, sp, #8
        mov r4, sp
        mov.w r5, #0
        strd r0, r1, [r4]       @ 2 stores
        ldrd r2, r3, [r4]       @ 2 loads
        str.w r0, [sp, #4]
        str.w r0, [r4, #4]!
        strh.w r0, [r4, #2]
        strb.w r0, [r4, #-1]
        ldr.w r1, [r4, r5, lsl #2]
        ldrsh.w r1, [r4, #2]
        ldrsb.w r1, [r4, #-1]
        ldrb.w r1, [r4], #-4
        ldrh.w r1, [r4, #0]
        stmdb sp!, {r0, r1, r2} @ 3 stores
        ldm.w sp!, {r0, r1, r2} @ 3 loads
        add sp, #8
        pop.w {r4-r11, pc}      @ 9 loads

@ Products and quotients.
@ expect products instructions 8 stack 0 loads 0 stores 0 multiplies 5 taken 1
        function products
        mul r2, r0, r1
        mla r2, r0, r1, r2
        mls r2, r0, r1, r2
        smull r2, r3, r0, r1
        umlal r2, r3, r0, r1
        sdiv r2, r0, r1
        udiv r2, r0, r1
        bx lr

@ The DSP extension, on a core that has it.
@ expect_dsp signals instructions 9 stack 0 loads 0 stores 0 multiplies 4 taken 1
        function signals
        smlad r2, r0, r1, r2
        smulbb r2, r0, r1
        smlalbt r2, r3, r0, r1
        smmul r2, r0, r1
        qadd r2, r0, r1
        pkhbt r2, r0, r1, lsl #16
        sxtab16 r2, r0, r1
        uadd8 r2, r0, r1
        bx lr

@ An IT block: what it skips is an instruction as well.
@ expect blocks instructions 14 stack 0 loads 0 stores 0 multiplies 0 taken 1
        function blocks
        movs r0, #1
        cmp r0, #1
        ite eq
        addeq r1, #1
        addne r1, #2            @ skipped
        it ne
        movne.w r1, #0x100      @ skipped
        itt ne
        addne r1, #1            @ skipped
        bne.n 1f                @ skipped, and not taken
1:      itt ne
        movne r2, r0            @ skipped
        movne.w r1, #0x100      @ skipped
        bx lr

@ Branches: a loop of three with CBZ out of it, a long branch, a table, one to the next instruction.
@ expect branches instructions 21 stack 0 loads 1 stores 0 multiplies 0 taken 9
        function branches
        movs r0, #3
1:      subs r0, #1
        cbz r0, 2f              @ taken once
        b.w 1b                  @ twice
2:      cbnz r0, 7f             @ not
        cmp r0, #0
        beq.w 3f                @ taken
        nop
3:      bne.w 4f                @ not
4:      .short 0xf000, 0x8000   @ beq.w to the next instruction: taken
        movs r0, #1
        tbb [pc, r0]            @ taken
5:      .byte (6f - 5b) / 2, (7f - 5b) / 2
6:      nop
7:      mov.w r1, lr
        bl leaf                 @ taken, and its return
        mov lr, r1
        bx lr

@ A word and a halfword may lie anywhere; vector is aligned.
@ expect unaligned instructions 3 stack 0 loads 2 stores 0 multiplies 0 taken 1
        function unaligned
        ldr.w r1, [r0, #1]
        ldrh.w r1, [r0, #3]
        bx lr

        .bss
        .balign 4
        .global vector
        .type vector, %object
        .size vector, 12
vector: .space 12
