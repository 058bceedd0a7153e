// Runs a model in ONNX Runtime: node run.mjs REQUEST.json
// Request   {model, inputs: [{name, type, shape, file}], output_folder, optimize}
// Writes    each output as raw little-endian bytes into the folder; prints [{name, type, shape, file}] to stdout.
import fs from 'node:fs';
import path from 'node:path';
import ort from 'onnxruntime-node';

const arrays = {
  float16: globalThis.Float16Array ?? Uint16Array, float32: Float32Array, float64: Float64Array, int8: Int8Array, uint8: Uint8Array, int16: Int16Array,
  uint16: Uint16Array, int32: Int32Array, uint32: Uint32Array, int64: BigInt64Array, uint64: BigUint64Array,
  bool: Uint8Array,
};

function readTensor({type, shape, file}) {
  const bytes = fs.readFileSync(file);
  const copy = new Uint8Array(bytes).buffer;
  return new ort.Tensor(type, new arrays[type](copy), shape);
}

const request = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const session = await ort.InferenceSession.create(request.model, {
  executionProviders: ['cpu'],
  graphOptimizationLevel: request.optimize ?? 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
  // Processors without VNNI add pairs of u8 x s8 products in 16 bits, which saturates: ask for the exact way.
  extra: {session: {x64quantprecision: '1'}},
});
const feeds = {};
for (const input of request.inputs) feeds[input.name] = readTensor(input);
const results = await session.run(feeds);
const written = [];
for (const [index, name] of session.outputNames.entries()) {
  const tensor = results[name];
  const file = path.join(request.output_folder, `output_${index}.raw`);
  fs.writeFileSync(file, Buffer.from(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
  written.push({name, type: tensor.type, shape: tensor.dims, file});
}
console.log(JSON.stringify(written));
