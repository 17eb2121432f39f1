@ Wait states of one cycle, counted by hand by the model of src/sim/core.h, for
@ tests/cli/measure_counts.sh: cycles_1ws are the cycles and N more, on Cortex-M0 and Cortex-M0+:
@ waits NAME N

        .syntax unified
        .cpu cortex-m0
        .thumb
        .text

        .macro function name
        .global \name
        .type \name, %function
        .thumb_func
\name:
        .endm

@ Two instructions a word: eight take four.
@ waits straight 4
        .balign 4
        function straight
        .rept 7
        nop
        .endr
        bx lr

@ Begun in the middle of a word, four take three.
@ waits shifted 3
        .balign 4
        nop
        function shifted
        nop
        nop
        nop
        bx lr

@ A loop over two words fetches both in each of its three turns.
@ waits loop 6
        .balign 4
        function loop
        movs r0, #3             @ first word: once
1:      subs r0, #1             @ the same; again in turns 2 and 3
        bne 1b                  @ second word: 3 times
        bx lr

@ A loop inside of one word fetches it once.
@ waits tight 3
        .balign 4
        function tight
        movs r0, #3
        nop
1:      subs r0, #1
        bne 1b
        bx lr

@ An instruction of 32 bits across two words, and the way back into the second.
@ waits call 4
        .balign 4
        function call
        push {lr}
        bl leaf
        pop {pc}
        .balign 4
        function leaf
        bx lr

@ Data from flash: a cycle each, and the fetched word stays.
@ waits literal 3
        .balign 4
        function literal
        ldr r0, [pc, #4]        @ first word; data
        nop
        nop                     @ second word
        bx lr
        .word 0

@ waits own_word 3
        .balign 4
        function own_word
        ldr r0, [pc, #0]        @ first word; the second as data
        nop
        nop                     @ the second as instructions
        bx lr

@ waits multiple 4
        .balign 4
        function multiple
        adr r0, table           @ first word
        ldmia r0!, {r1, r2}     @ two words of data
        bx lr                   @ second word
        nop
table:  .word 1, 2

@ Data in RAM costs nothing more.
@ waits stack 2
        .balign 4
        function stack
        sub sp, #4
        str r0, [sp]
        add sp, #4
        bx lr
