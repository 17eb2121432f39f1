@ Functions that the counting program must refuse on a core, for tests/cli/measure_counts_thumb2.sh:
@ fault NAME CORE: what the message must contain

        .syntax unified
        .thumb
        .text

        .macro function name
        .global \name
        .type \name, %function
        .thumb_func
        .balign 4
\name:
        .endm

@ The DSP extension; Unicorn's Cortex-M3 has it not either.
@ fault signal m3: no instruction of ARMv7-M that
        function signal
        .short 0xfb20, 0x2201   @ smlad r2, r0, r1, r2
        bx lr

@ fault saturate m3: no instruction of ARMv7-M that
        function saturate
        .short 0xfa81, 0xf280   @ qadd r2, r0, r1
        bx lr

@ fault pack m3: no instruction of ARMv7-M that
        function pack
        .short 0xeac0, 0x4201   @ pkhbt r2, r0, r1, lsl #16
        bx lr

@ fault extend m3: no instruction of ARMv7-M that
        function extend
        .short 0xfa00, 0xf281   @ sxtah r2, r0, r1
        bx lr

@ Floating point, coprocessors, vectors: no integer program has them.
@ fault floating m4: no instruction of ARMv7E-M that
        function floating
        .short 0xee30, 0x0a20   @ vadd.f32 s0, s0, s1
        bx lr

@ fault floating_load m7: no instruction of ARMv7E-M that
        function floating_load
        .short 0xed90, 0x0a00   @ vldr s0, [r0]
        bx lr

@ fault coprocessor m33: no instruction of ARMv8-M that
        function coprocessor
        .short 0xee11, 0x0f10   @ mrc p15
        bx lr

@ Exclusive accesses, TrustZone's tests, undefined words.
@ fault exclusive m4: no instruction of ARMv7E-M that
        function exclusive
        .short 0xe850, 0x1f00   @ ldrex r1, [r0]
        bx lr

@ fault test_target m33: no instruction of ARMv8-M that
        function test_target
        .short 0xe840, 0xf000   @ tt r0, r0
        bx lr

@ fault undefined_product m4: no instruction of ARMv7E-M that
        function undefined_product
        .short 0xfb90, 0x0000
        bx lr

@ fault undefined_load m7: no instruction of ARMv7E-M that
        function undefined_load
        .short 0xf950, 0x1000
        bx lr

@ fault permanently m3: no instruction of ARMv7-M that
        function permanently
        .short 0xf7f0, 0xa000   @ udf.w
        bx lr

@ fault breakpoint m4: no instruction of ARMv7E-M that
        function breakpoint
        bkpt 0xab
        bx lr

@ Accesses: several words must be aligned.
@ fault unaligned_two m4: unaligned read of 4 bytes at 0x20000002
        function unaligned_two
        mov.w r0, #0x20000000
        ldrd r2, r3, [r0, #0]
        adds r0, #2
        ldrd r2, r3, [r0]
        bx lr

@ fault unaligned_multiple m3: unaligned read of 4 bytes at 0x20000002
        function unaligned_multiple
        mov.w r0, #0x20000000
        adds r0, #2
        ldmia r0!, {r1, r2}
        bx lr

@ fault write_flash m4: write of 4 bytes outside of RAM at 0x00000010
        function write_flash
        movs r0, #16
        str.w r0, [r0]
        bx lr

@ fault big_frame m4: stack overflow
        function big_frame
        sub.w sp, sp, #20480
        nop
        add.w sp, sp, #20480
        bx lr

@ fault clobber m33: does not preserve r11
        function clobber
        mov.w r11, #0
        bx lr

@ fault endless m7: still running after 100000 instructions
        function endless
        b.w endless
