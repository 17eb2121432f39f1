@ Functions that the counting program must refuse, for tests/cli/measure_counts.sh:
@ fault NAME: what the message must contain

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

@ Encodings of later architectures; Unicorn executes each of them.
@ fault it: no instruction of ARMv6-M
        function it
        .short 0xbf08           @ it eq
        .short 0x2001           @ moveq r0, #1
        bx lr

@ fault cbz: no instruction of ARMv6-M
        function cbz
        .short 0xb108           @ cbz r0, .+6
        bx lr
        bx lr
        bx lr

@ fault udiv: no instruction of ARMv6-M
        function udiv
        .short 0xfbb0, 0xf0f1   @ udiv r0, r0, r1
        bx lr

@ fault movw: no instruction of ARMv6-M
        function movw
        .short 0xf240, 0x0001   @ movw r0, #1
        bx lr

@ fault long_branch: no instruction of ARMv6-M
        function long_branch
        .short 0xf000, 0xb800   @ b.w .+4
        bx lr

@ fault long_load: no instruction of ARMv6-M
        function long_load
        .short 0xf8d0, 0x1000   @ ldr.w r1, [r0]
        bx lr

@ fault permanently_undefined: no instruction of ARMv6-M
        function permanently_undefined
        udf #0

@ fault breakpoint: no instruction of ARMv6-M
        function breakpoint
        bkpt 0xab
        bx lr

@ fault supervisor: no instruction of ARMv6-M
        function supervisor
        svc 0
        bx lr

@ Accesses.
@ fault unaligned_word: unaligned read of 4 bytes at 0x20000001
        function unaligned_word
        movs r0, #1
        movs r1, #32
        lsls r1, r1, #24
        orrs r0, r1
        ldr r0, [r0]
        bx lr

@ fault unaligned_half: unaligned write of 2 bytes at 0x20000003
        function unaligned_half
        movs r0, #3
        movs r1, #32
        lsls r1, r1, #24
        orrs r0, r1
        strh r0, [r0]
        bx lr

@ fault unaligned_multiple: unaligned read of 4 bytes at 0x20000002
        function unaligned_multiple
        movs r0, #2
        movs r1, #32
        lsls r1, r1, #24
        orrs r0, r1
        ldmia r0!, {r1, r2}
        bx lr

@ fault write_flash: write of 4 bytes outside of RAM at 0x00000010
        function write_flash
        movs r0, #16
        str r0, [r0]
        bx lr

@ fault read_nowhere: read of 1 bytes outside of RAM and flash at 0x50000000
        function read_nowhere
        movs r0, #5
        lsls r0, r0, #28
        ldrb r0, [r0]
        bx lr

@ fault read_past_ram: read of 4 bytes outside of RAM and flash at 0x20004000
        function read_past_ram
        movs r0, #32
        lsls r0, r0, #24
        movs r1, #1
        lsls r1, r1, #14
        ldr r0, [r0, r1]
        bx lr

@ Control.
@ fault run_in_ram: execution outside of flash at 0x20000000
        function run_in_ram
        movs r0, #32
        lsls r0, r0, #24
        adds r0, #1
        bx r0

@ fault no_thumb_bit: the core faults
        function no_thumb_bit
        adr r0, leaf
        bx r0
        .balign 4
leaf:   bx lr

@ fault run_off_the_code: no instruction of ARMv6-M
        function run_off_the_code
        ldr r0, =0x8001
        bx r0
        .ltorg

@ fault endless: still running after 100000 instructions
        function endless
        b endless

@ fault recursion: stack overflow
        function recursion
        push {r4, lr}
        bl recursion
        pop {r4, pc}

@ fault big_frame: stack overflow
        function big_frame
        ldr r0, =-20000
        add sp, r0
        subs r0, #0
        ldr r0, =20000
        add sp, r0
        bx lr
        .ltorg

@ fault clobber: does not preserve r7
        function clobber
        movs r7, #0
        bx lr

@ fault unbalanced: another SP
        function unbalanced
        sub sp, #8
        bx lr
