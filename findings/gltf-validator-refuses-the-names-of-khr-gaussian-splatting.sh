#!/usr/bin/env bash
# The Khronos glTF validator (npm gltf-validator 2.0.0-dev.3.10) and a file with Khronos' own extension KHR_gaussian_splatting.
#
# Good guess: an extension that a validator does not know is passed over with a note (UNSUPPORTED_EXTENSION), and the rest is judged.
# Seen: the note comes, and beside it an *error* for each attribute that the extension prescribes
#   (KHR_gaussian_splatting:ROTATION, :SCALE, :OPACITY, :SH_DEGREE_0_COEF_0): names with a colon are no attribute names to it. No
#   file of splats in that form can pass; a pipeline that refuses files with errors refuses all of them. The same accessors under
#   names that begin with an underscore pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-fund --no-audit gltf-validator@2.0.0-dev.3.10
cat > check.js <<'JS'
const validator = require("gltf-validator");

const KEY = "KHR_gaussian_splatting";
const VALUES = { ROTATION: 4, SCALE: 3, OPACITY: 1, SH_DEGREE_0_COEF_0: 3 };

/** One splat whose attributes are named by `prefix` and what the extension calls them. */
function file(prefix, extended) {
  const numbers = [0, 0, 0];
  const views = [{ buffer: 0, byteOffset: 0, byteLength: 12 }];
  const accessors = [{ bufferView: 0, componentType: 5126, count: 1, type: "VEC3", min: [0, 0, 0], max: [0, 0, 0] }];
  const attributes = { POSITION: 0 };
  for (const [name, size] of Object.entries(VALUES)) {
    const values = name === "ROTATION" ? [0, 0, 0, 1] : Array(size).fill(0.5);
    views.push({ buffer: 0, byteOffset: 4 * numbers.length, byteLength: 4 * size });
    numbers.push(...values);
    attributes[prefix + name] = accessors.length;
    accessors.push({ bufferView: accessors.length, componentType: 5126, count: 1, type: size === 1 ? "SCALAR" : "VEC" + size });
  }
  const bytes = Buffer.from(new Float32Array(numbers).buffer);
  const primitive = { mode: 0, attributes };
  if (extended) primitive.extensions = { [KEY]: { kernel: "ellipse", colorSpace: "srgb_rec709_display" } };
  const document = {
    asset: { version: "2.0" },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes: [{ mesh: 0 }],
    meshes: [{ primitives: [primitive] }],
    buffers: [{ byteLength: bytes.length, uri: "data:application/octet-stream;base64," + bytes.toString("base64") }],
    bufferViews: views,
    accessors,
  };
  if (extended) document.extensionsUsed = [KEY];
  return new TextEncoder().encode(JSON.stringify(document));
}

async function errors(prefix, extended) {
  const report = await validator.validateBytes(file(prefix, extended));
  return report.issues.messages.filter((message) => message.severity === 0);
}

(async () => {
  const named = await errors(KEY + ":", true);
  const underscored = await errors("_", false);
  console.log(validator.version());
  for (const { code, pointer } of named) console.log(code, pointer);
  console.log("under names with an underscore:", underscored.length, "errors");
  const refused = named.filter(({ code }) => code === "MESH_PRIMITIVE_INVALID_ATTRIBUTE").length;
  if (refused !== Object.keys(VALUES).length || underscored.length !== 0) {
    console.error("it changed");
    process.exit(1);
  }
})();
JS
node check.js
