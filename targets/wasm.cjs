// node wasm.cjs IMAGE: runs the test image on in.bin, writes out.bin, and prints the median time of
// one call (board.h).
'use strict';
const fs = require('fs');

const BATCHES = 15;
const BATCH_NANOSECONDS = 2e6;

const input = fs.readFileSync('in.bin');
const outputs = [];
let read = 0;
let inputSize = 0;
let outputSize = 0;
let image = null;

const bytes = (at, size) => new Uint8Array(image.memory.buffer, at, size);

const board = {
    board_read(at, size) {
        if (read + size > input.length) {
            return 0;
        }
        bytes(at, size).set(input.subarray(read, read + size));
        read += size;
        inputSize = size;
        return 1;
    },
    board_write(at, size) {
        outputs.push(Buffer.from(bytes(at, size)));
        outputSize = size;
    },
    board_end() {},
};

// Nanoseconds of `count` calls on vectors behind the image's own memory.
function timeCalls(base, vectors, count) {
    const start = process.hrtime.bigint();
    image.board_repeat(base, inputSize, vectors, base + vectors * inputSize, count);
    return Number(process.hrtime.bigint() - start);
}

function median(vectors) {
    const page = 65536;
    const room = vectors * inputSize + outputSize + 16;
    const base = image.memory.grow(Math.ceil(room / page)) * page;
    bytes(base, vectors * inputSize).set(input.subarray(0, vectors * inputSize));
    let count = 64;
    while (timeCalls(base, vectors, count) < BATCH_NANOSECONDS) {
        count *= 2;
    }
    const times = [];
    for (let i = 0; i < BATCHES; i++) {
        times.push(timeCalls(base, vectors, count) / count);
    }
    return times.sort((a, b) => a - b)[BATCHES >> 1];
}

const program = new WebAssembly.Module(fs.readFileSync(process.argv[2]));
image = new WebAssembly.Instance(program, {env: board}).exports;
try {
    image.main();
} catch (fault) {
    console.error(`error: ${fault.message}`);
    process.exit(1);
}
fs.writeFileSync('out.bin', Buffer.concat(outputs));
console.log(`nanoseconds ${median(read / inputSize).toFixed(2)}`);
