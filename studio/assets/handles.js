/* What can be dragged in the blocks editor: arrows that move a block, knobs that stretch it, rings that turn it. A handle is
   {colour, hit(x, y) -> pixels away, start(x, y) -> drag(x, y, event), paint(pen)}. */
(() => {
  "use strict";
  const { rotation, angles, about, matmul, column, dot, plus, cross, unit } = maquette.solid;
  const AXES = ["#c0503c", "#4d8a4f", "#3f6f9f"], STEP = 0.05, SNAP_DEG = 5, SMALLEST = 0.02, FARTHEST = 50;
  const snap = (value, step, free) => free ? value : Math.round(value / step) * step;
  const within = (value, low, high) => Math.min(high, Math.max(low, value));

  /* How far a block reaches along a world axis. */
  const reach = (each, axis) => {
    const R = rotation(each.rotation_deg), parts = [0, 1, 2].map((k) => Math.abs(R[axis][k]) * each.size[k] / 2);
    if (each.kind === "sphere") return Math.hypot(...parts);
    return each.kind === "box" ? parts[0] + parts[1] + parts[2] : Math.hypot(parts[0], parts[1]) + parts[2];
  };

  /* Needs `view`, `mode`, and `at`, the chosen block. */
  class BlockHandles {
    /* Where a pixel's ray meets the plane through `point` with this normal; null if it does not. */
    meets(x, y, point, normal) {
      const ray = this.view.ray(x, y), slope = dot(ray, normal);
      if (Math.abs(slope) < 0.03) return null;
      const t = dot(plus(point, this.view.eye, -1), normal) / slope;
      return t > 0 ? plus(this.view.eye, ray, t) : null;
    }

    /* Moving a block by its body: on the level, or upright where the view is level. */
    slide(x, y) {
      const each = this.at, start = [...each.centre], normal = this.view.elevation > 12 ? [0, 0, 1] : unit([this.view.back[0], this.view.back[1], 0]);
      const from = this.meets(x, y, start, normal);
      return (px, py, event) => {
        const to = this.meets(px, py, start, normal);
        if (from && to) each.centre = start.map((v, k) => within(Math.abs(normal[k]) > 0.99 ? v : snap(v + to[k] - from[k], STEP, event.shiftKey), -FARTHEST, FARTHEST));
      };
    }

    /* How far along a line through `point` a pixel is. */
    along(x, y, point, axis) {
      const across = unit(cross(cross(axis, this.view.back), axis)), met = this.meets(x, y, point, across);
      return met ? dot(plus(met, point, -1), axis) : 0;
    }

    /* The handles of the chosen block: see above. */
    handlesNow() {
      if (!this.at) return [];
      return { move: () => this.arrows(), size: () => this.knobs(), turn: () => this.rings() }[this.mode]();
    }

    arrows() {
      const each = this.at, long = 0.13 * this.view.distance;
      return [0, 1, 2].map((k) => {
        const axis = [0, 0, 0]; axis[k] = 1;
        const foot = plus(each.centre, axis, reach(each, k)), tip = plus(foot, axis, long), [fx, fy] = this.view.project(foot), [x, y] = this.view.project(tip);
        return { x, y, hit: this.near(x, y), colour: AXES[k], paint: (pen) => this.arrow(pen, fx, fy, x, y),
          start: (px, py) => { const start = [...each.centre], from = this.along(px, py, start, axis); return (qx, qy, event) => { each.centre[k] = within(snap(start[k] + this.along(qx, qy, start, axis) - from, STEP, event.shiftKey), -FARTHEST, FARTHEST); }; } };
      });
    }

    knobs() {
      const each = this.at, R = rotation(each.rotation_deg);
      return [0, 1, 2].flatMap((k) => [1, -1].map((side) => {
        const axis = column(R, k).map((v) => v * side), [x, y] = this.view.project(plus(each.centre, axis, each.size[k] / 2 + 0.028 * this.view.distance));
        return { x, y, hit: this.near(x, y), colour: AXES[k], paint: (pen) => this.knob(pen, x, y), start: (px, py) => this.stretch(px, py, k, axis) };
      }));
    }

    /* The opposite side stays; with Shift all sizes keep their proportions, about the centre. */
    stretch(x, y, k, axis) {
      const each = this.at, centre = [...each.centre], size = [...each.size], from = this.along(x, y, centre, axis);
      return (px, py, event) => {
        const wanted = within(snap(size[k] + (event.shiftKey ? 2 : 1) * (this.along(px, py, centre, axis) - from), STEP, event.altKey), STEP, FARTHEST);
        each.size = event.shiftKey ? size.map((v) => within(v * wanted / size[k], SMALLEST, FARTHEST)) : size.map((v, i) => i === k ? wanted : v);
        each.centre = event.shiftKey ? [...centre] : plus(centre, axis, (wanted - size[k]) / 2);
      };
    }

    rings() {
      const each = this.at, radius = Math.max(0.14 * this.view.distance, 0.55 * Math.hypot(...each.size));
      return [0, 1, 2].map((k) => {
        const [i, j] = [(k + 1) % 3, (k + 2) % 3], axis = [0, 0, 0]; axis[k] = 1;
        const path = Array.from({ length: 65 }, (_, n) => { const p = [...each.centre]; p[i] += radius * Math.cos(n * Math.PI / 32); p[j] += radius * Math.sin(n * Math.PI / 32); return this.view.project(p); });
        const hit = (x, y) => Math.min(...path.map(([px, py]) => Math.hypot(px - x, py - y)));
        return { x: path[8][0], y: path[8][1], hit, colour: AXES[k], paint: (pen) => { pen.beginPath(); path.forEach(([x, y], n) => n ? pen.lineTo(x, y) : pen.moveTo(x, y)); pen.stroke(); },
          start: (px, py) => this.spin(px, py, k, axis, i, j) };
      });
    }

    spin(x, y, k, axis, i, j) {
      const each = this.at, start = rotation(each.rotation_deg), { centre } = each, middle = this.view.project(centre);
      const angle = (px, py) => {
        const met = Math.abs(dot(this.view.back, axis)) > 0.15 ? this.meets(px, py, centre, axis) : null;
        return met ? Math.atan2(met[j] - centre[j], met[i] - centre[i]) * 180 / Math.PI : (px - middle[0] - (py - middle[1])) * 0.6;  // seen from its edge: by the distance
      };
      const from = angle(x, y);
      return (px, py, event) => { each.rotation_deg = angles(matmul(about(k, snap(angle(px, py) - from, SNAP_DEG, event.shiftKey)), start)); };
    }

    near(x, y) { return (px, py) => Math.hypot(px - x, py - y); }

    arrow(pen, fx, fy, x, y) {
      const a = Math.atan2(y - fy, x - fx);
      pen.beginPath(); pen.moveTo(fx, fy); pen.lineTo(x - 6 * Math.cos(a), y - 6 * Math.sin(a)); pen.stroke();
      pen.beginPath(); pen.moveTo(x + 7 * Math.cos(a), y + 7 * Math.sin(a));
      for (const turn of [2.45, -2.45]) pen.lineTo(x + 9 * Math.cos(a + turn), y + 9 * Math.sin(a + turn));
      pen.closePath(); pen.fill();
    }

    knob(pen, x, y) { pen.beginPath(); pen.arc(x, y, 6, 0, 2 * Math.PI); pen.fill(); pen.save(); pen.strokeStyle = "#ffffff"; pen.lineWidth = 1.5; pen.stroke(); pen.restore(); }
  }

  Object.assign(maquette, { BlockHandles, blockMath: { reach, within, STEP, SMALLEST, FARTHEST } });
})();
