/* Small 3D scenes drawn in plain JavaScript with a depth buffer: no GPU and no WebGL context are needed, and every pixel knows
   whose it is. World: +z up, the front towards +x; azimuth from +x towards +y, as everywhere in Maquette. */
(() => {
  "use strict";
  const SIDES = 32, NEAR = 0.05, MOST_PIXELS = 1.4e6, LIGHT = [0.36, -0.48, 0.8], RADIANS = Math.PI / 180;
  const TAN = Math.tan(20 * RADIANS);  // half of the field of view that priors are at home with

  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const plus = (a, b, t = 1) => [a[0] + b[0] * t, a[1] + b[1] * t, a[2] + b[2] * t];
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const unit = (a) => { const n = Math.hypot(...a) || 1; return [a[0] / n, a[1] / n, a[2] / n]; };
  const times = (R, p) => [dot(R[0], p), dot(R[1], p), dot(R[2], p)];
  const matmul = (A, B) => A.map((row) => [0, 1, 2].map((k) => row[0] * B[0][k] + row[1] * B[1][k] + row[2] * B[2][k]));
  const column = (R, k) => [R[0][k], R[1][k], R[2][k]];

  /* A turn about one fixed axis. */
  const about = (axis, degrees) => {
    const c = Math.cos(degrees * RADIANS), s = Math.sin(degrees * RADIANS), [i, j] = [(axis + 1) % 3, (axis + 2) % 3];
    const R = [[1, 0, 0], [0, 1, 0], [0, 0, 1]];
    R[i][i] = R[j][j] = c; R[i][j] = -s; R[j][i] = s;
    return R;
  };
  const rotation = ([x, y, z]) => matmul(about(2, z), matmul(about(1, y), about(0, x)));
  /* The angles that `rotation` takes, of a rotation. */
  const angles = (R) => [Math.atan2(R[2][1], R[2][2]), Math.asin(Math.min(1, Math.max(-1, -R[2][0]))), Math.atan2(R[1][0], R[0][0])].map((a) => a / RADIANS);

  /* Triangles of solids of size 1: corners [p, normal] in threes. */
  const quad = (a, b, c, d) => [a, b, c, a, c, d];
  const ring = (radius, z, normal) => Array.from({ length: SIDES + 1 }, (_, i) => {
    const c = Math.cos(2 * Math.PI * i / SIDES), s = Math.sin(2 * Math.PI * i / SIDES);
    return [[radius * c, radius * s, z], normal(c, s)];
  });
  const band = (low, high) => low.slice(1).flatMap((_, i) => quad(low[i], low[i + 1], high[i + 1], high[i]));
  const disc = (z, up) => { const rim = ring(0.5, z, () => [0, 0, up]); return rim.slice(1).flatMap((_, i) => [[[0, 0, z], [0, 0, up]], ...(up > 0 ? [rim[i], rim[i + 1]] : [rim[i + 1], rim[i]])]); };
  const makers = {
    box: () => [0, 1, 2].flatMap((axis) => [-1, 1].flatMap((side) => {
      const [i, j] = side > 0 ? [(axis + 1) % 3, (axis + 2) % 3] : [(axis + 2) % 3, (axis + 1) % 3];
      const corner = (u, v) => { const p = [0, 0, 0], n = [0, 0, 0]; p[axis] = side / 2; n[axis] = side; p[i] = u / 2; p[j] = v / 2; return [p, n]; };
      return quad(corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1));
    })),
    sphere: () => {
      const rows = Array.from({ length: SIDES / 2 + 1 }, (_, k) => { const a = Math.PI * k / (SIDES / 2), z = -Math.cos(a), r = Math.sin(a); return ring(r / 2, z / 2, (c, s) => [r * c, r * s, z]); });
      return rows.slice(1).flatMap((row, k) => band(rows[k], row));
    },
    cylinder: () => { const n = (c, s) => [c, s, 0]; return [...band(ring(0.5, -0.5, n), ring(0.5, 0.5, n)), ...disc(0.5, 1), ...disc(-0.5, -1)]; },
    cone: () => { const n = (c, s) => unit([c, s, 0.5]); return [...band(ring(0.5, -0.5, n), ring(0, 0.5, n)), ...disc(-0.5, -1)]; },
  };
  const made = {};
  const unitSolid = (kind) => {
    if (!made[kind]) { const corners = makers[kind](); made[kind] = { points: Float32Array.from(corners.flatMap(([p]) => p)), normals: Float32Array.from(corners.flatMap(([, n]) => n)) }; }
    return made[kind];
  };
  /* A block's triangles where it stands: {points, normals}, nine numbers a triangle. The last of each block is kept. */
  const known = new WeakMap();
  const solid = (block) => {
    const key = JSON.stringify(block), last = known.get(block);
    if (last && last.key === key) return last;
    const found = { key, ...placed(block) };
    known.set(block, found);
    return found;
  };
  const placed = ({ kind, centre, size, rotation_deg }) => {
    const from = unitSolid(kind), R = rotation(rotation_deg), count = from.points.length, points = new Float32Array(count), normals = new Float32Array(count);
    for (let i = 0; i < count; i += 3) {
      const p = times(R, [0, 1, 2].map((k) => from.points[i + k] * size[k])), n = unit(times(R, [0, 1, 2].map((k) => from.normals[i + k] / size[k])));
      for (let k = 0; k < 3; k++) { points[i + k] = p[k] + centre[k]; normals[i + k] = n[k]; }
    }
    return { points, normals };
  };

  /* From where a scene is looked at; the shorter side of the picture spans the field of view. */
  class View {
    constructor(azimuth, elevation, distance, target) { Object.assign(this, { azimuth, elevation, distance, target, width: 1, height: 1 }); this.aim(); }

    aim() {
      const a = this.azimuth * RADIANS, e = this.elevation * RADIANS;
      this.back = [Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)];
      this.right = [-Math.sin(a), Math.cos(a), 0];
      this.up = cross(this.back, this.right);
      this.eye = plus(this.target, this.back, this.distance);
    }

    fit(width, height) { Object.assign(this, { width, height, focal: 0.5 * Math.min(width, height) / TAN }); this.aim(); }

    /* [x, y] in pixels and the depth. */
    project(p) {
      const d = plus(p, this.eye, -1), depth = -dot(this.back, d), scale = this.focal / Math.max(depth, NEAR);
      return [this.width / 2 + scale * dot(this.right, d), this.height / 2 - scale * dot(this.up, d), depth];
    }

    /* The direction in which a pixel looks. */
    ray(x, y) {
      const u = (x - this.width / 2) / this.focal, v = (this.height / 2 - y) / this.focal;
      return unit(plus(plus(plus([0, 0, 0], this.back, -1), this.right, u), this.up, v));
    }
  }

  /* Draws triangles into a picture of its own. */
  class Painter {
    constructor() { this.canvas = document.createElement("canvas"); this.pen = this.canvas.getContext("2d"); }

    /* A picture at most so large; the last one's size is kept where it is the same. */
    begin(view, width, height) {
      const share = Math.min(1, Math.sqrt(MOST_PIXELS / (width * height)));
      const w = Math.max(1, Math.round(width * share)), h = Math.max(1, Math.round(height * share));
      if (!this.data || w !== this.canvas.width || h !== this.canvas.height) {
        Object.assign(this.canvas, { width: w, height: h });
        this.data = this.pen.createImageData(w, h);
        Object.assign(this, { pixels: new Uint32Array(this.data.data.buffer), depth: new Float32Array(w * h), ids: new Uint16Array(w * h) });
      }
      this.pixels.fill(0); this.depth.fill(0); this.ids.fill(0);
      this.view = Object.assign(Object.create(View.prototype), view);
      this.view.fit(w, h);
    }

    /* Triangles in one colour [r, g, b], or in one each (`colours`); `id` > 0 marks their pixels. Open ones are seen from both sides. */
    draw({ points, normals, colours }, colour, id, open = false) {
      const { view: { eye, right, up, back, focal, width, height } } = this, count = points.length / 9, s = new Float64Array(12), own = [0, 0, 0];
      for (let t = 0; t < count; t++) {
        let near = false;
        for (let k = 0; k < 3; k++) {  // written out, for this is most of the time
          const at = 9 * t + 3 * k, x = points[at] - eye[0], y = points[at + 1] - eye[1], z = points[at + 2] - eye[2];
          const nx = normals[at], ny = normals[at + 1], nz = normals[at + 2], depth = -(back[0] * x + back[1] * y + back[2] * z), scale = focal / depth;
          near = near || depth < 2 * NEAR;
          const facing = nx * back[0] + ny * back[1] + nz * back[2], lit = open && facing < 0 ? -1 : 1;
          s[4 * k] = width / 2 + scale * (right[0] * x + right[1] * y + right[2] * z);
          s[4 * k + 1] = height / 2 - scale * (up[0] * x + up[1] * y + up[2] * z);
          s[4 * k + 2] = 1 / depth;
          s[4 * k + 3] = 0.56 + 0.36 * Math.max(0, lit * (nx * LIGHT[0] + ny * LIGHT[1] + nz * LIGHT[2])) + 0.22 * Math.max(0, lit * facing);
        }
        if (near) continue;
        if (colours) { own[0] = colours[3 * t]; own[1] = colours[3 * t + 1]; own[2] = colours[3 * t + 2]; }
        this.triangle(s, colours ? own : colour, id, open);
      }
    }

    triangle(s, [red, green, blue], id, open) {
      const { pixels, depth, ids } = this, width = this.canvas.width, height = this.canvas.height;
      const ax = s[0], ay = s[1], az = s[2], al = s[3];
      let bx = s[4], by = s[5], bz = s[6], bl = s[7], cx = s[8], cy = s[9], cz = s[10], cl = s[11];
      let area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
      if (area > 0 && !open) return;  // its back
      if (area > 0) { [bx, by, bz, bl, cx, cy, cz, cl] = [cx, cy, cz, cl, bx, by, bz, bl]; area = -area; }
      if (area > -1e-9) return;
      const left = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5)), right = Math.min(width - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
      const top = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5)), bottom = Math.min(height - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
      // shares of the first and second corner change evenly from pixel to pixel
      const ux = -(cy - by) / area, uy = (cx - bx) / area, vx = -(ay - cy) / area, vy = (ax - cx) / area;
      const u0 = ux * (0.5 - bx) + uy * (0.5 - by), v0 = vx * (0.5 - cx) + vy * (0.5 - cy);
      for (let y = top; y <= bottom; y++) {
        for (let x = left, u = u0 + uy * y + ux * left, v = v0 + vy * y + vx * left; x <= right; x++, u += ux, v += vx) {
          const w = 1 - u - v;
          if (u < 0 || v < 0 || w < 0) continue;
          const at = y * width + x, near = u * az + v * bz + w * cz;
          if (near <= depth[at]) continue;
          const light = u * al + v * bl + w * cl;
          depth[at] = near; ids[at] = id;
          pixels[at] = 0xff000000 | (Math.min(255, blue * light) << 16) | (Math.min(255, green * light) << 8) | Math.min(255, red * light);
        }
      }
    }

    /* A line `wide` pixels thick just inside the outline of what carries `id`. */
    outline(id, [red, green, blue], wide) {
      const { ids, pixels } = this, width = this.canvas.width, height = this.canvas.height, inked = (255 << 24) | (blue << 16) | (green << 8) | red;
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
        if (ids[y * width + x] !== id) continue;
        const edge = x < wide || y < wide || x >= width - wide || y >= height - wide || ids[y * width + x - wide] !== id || ids[y * width + x + wide] !== id || ids[(y - wide) * width + x] !== id || ids[(y + wide) * width + x] !== id;
        if (edge) pixels[y * width + x] = inked;
      }
    }

    end() { this.pen.putImageData(this.data, 0, 0); return this.canvas; }

    /* Whose the pixel at a share of the width and height is; 0 for nobody's. */
    idAt(x, y) {
      const width = this.canvas.width, column = Math.floor(x * width), row = Math.floor(y * this.canvas.height);
      return column < 0 || row < 0 || column >= width || row >= this.canvas.height ? 0 : this.ids[row * width + column];
    }
  }

  const rgbOf = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  maquette.solid = { View, Painter, solid, rotation, angles, about, matmul, times, column, dot, plus, cross, unit, rgbOf };
})();
