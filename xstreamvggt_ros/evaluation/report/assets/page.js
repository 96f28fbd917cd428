// Copyright 2026 The xstreamvggt_ros authors
// SPDX-License-Identifier: Apache-2.0
'use strict';

// The 3-D views: points into a depth buffer of our own, lines over them, no library.
const FOCAL = 1.2, POINT = 3, NEAR = 0.02;

function unpack(text, Kind) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Kind(bytes.buffer);
}

function read(scene) {
  const span = scene.high.map((high, axis) => high - scene.low[axis]);
  return scene.layers.map((layer) => {
    const steps = unpack(layer.points, Uint16Array);
    const points = Float32Array.from(steps, (step, i) => scene.low[i % 3] + span[i % 3] * step / 65535);
    return { ...layer, points, colours: unpack(layer.colours, Uint8Array) };
  });
}

class View {
  constructor(holder, scene) {
    this.canvas = holder.querySelector('canvas');
    this.context = this.canvas.getContext('2d');
    this.layers = read(scene);
    this.centre = scene.low.map((low, axis) => (low + scene.high[axis]) / 2);
    this.size = Math.hypot(...scene.high.map((high, axis) => high - scene.low[axis]));
    this.shown = this.layers.map((layer, i) => ({ points: i === Math.min(1, this.layers.length - 1), path: true }));
    this.switches(holder.querySelector('.layers'));
    this.begin();
    this.listen();
  }

  begin() {
    // From behind the first camera, a little above and to the right.
    this.yaw = -0.5; this.pitch = 0.45; this.distance = 1.05 * this.size; this.shift = [0, 0];
    this.draw();
  }

  switches(place) {
    this.layers.forEach((layer, i) => {
      const dot = document.createElement('i');
      dot.style.background = tone(this.tone(i));
      dot.dataset.tone = this.tone(i);
      for (const kind of ['points', 'path']) {
        const label = document.createElement('label'), box = document.createElement('input');
        box.type = 'checkbox';
        box.checked = this.shown[i][kind];
        box.addEventListener('change', () => { this.shown[i][kind] = box.checked; this.draw(); });
        label.append(box, ' ', kind === 'points' ? 'points' : 'cameras');
        if (kind === 'points') {
          const name = document.createElement('span');
          name.append(dot, layer.name, ':');
          place.append(name);
        }
        place.append(label);
      }
    });
  }

  tone(i) {
    return this.layers[i].run ?? 8;
  }

  listen() {
    const canvas = this.canvas;
    let last = null;
    canvas.addEventListener('pointerdown', (event) => { last = [event.clientX, event.clientY]; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener('pointerup', () => { last = null; });
    canvas.addEventListener('pointermove', (event) => {
      if (!last) return;
      const dx = event.clientX - last[0], dy = event.clientY - last[1];
      last = [event.clientX, event.clientY];
      if (event.shiftKey) {
        const step = this.distance / canvas.clientWidth;
        this.shift[0] += dx * step; this.shift[1] += dy * step;
      } else {
        this.yaw += 0.008 * dx;
        this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + 0.008 * dy));
      }
      this.draw();
    });
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.distance *= Math.exp(0.0012 * event.deltaY);
      this.draw();
    }, { passive: false });
    canvas.addEventListener('dblclick', () => this.begin());
    canvas.addEventListener('keydown', (event) => {
      const turn = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (!turn) return;
      event.preventDefault();
      this.yaw += turn[0]; this.pitch += turn[1];
      this.draw();
    });
  }

  // Rows of the rotation from the scene (x right, y down, z ahead) into the viewer's axes.
  rotation() {
    const [sy, cy, sp, cp] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)];
    return [[cy, 0, sy], [sy * sp, cp, -cy * sp], [-sy * cp, sp, cy * cp]];
  }

  // Pixel and depth of a place; depth below NEAR is behind the viewer.
  project(p) {
    const [x, y, z] = [p[0] - this.centre[0], p[1] - this.centre[1], p[2] - this.centre[2]];
    const r = this.turned, scale = FOCAL * this.canvas.height;
    const depth = r[2][0] * x + r[2][1] * y + r[2][2] * z + this.distance;
    const across = r[0][0] * x + r[0][1] * y + r[0][2] * z + this.shift[0];
    const down = r[1][0] * x + r[1][1] * y + r[1][2] * z + this.shift[1];
    return [this.canvas.width / 2 + scale * across / depth, this.canvas.height / 2 + scale * down / depth, depth];
  }

  draw() {
    this.turned = this.rotation();
    const { width, height } = this.canvas, image = this.context.createImageData(width, height);
    const depths = new Float32Array(width * height).fill(Infinity);
    const back = rgb(getComputedStyle(document.documentElement).getPropertyValue('--soft'));
    for (let i = 0; i < image.data.length; i += 4) image.data.set([...back, 255], i);
    this.layers.forEach((layer, i) => { if (this.shown[i].points) this.splat(layer, image, depths); });
    this.context.putImageData(image, 0, 0);
    this.layers.forEach((layer, i) => { if (this.shown[i].path) this.lines(layer, tone(this.tone(i))); });
    this.axes();
  }

  splat(layer, image, depths) {
    const { width, height } = this.canvas, place = [0, 0, 0];
    for (let i = 0; i < layer.points.length; i += 3) {
      place[0] = layer.points[i]; place[1] = layer.points[i + 1]; place[2] = layer.points[i + 2];
      const [u, v, depth] = this.project(place);
      if (depth < NEAR * this.size) continue;
      for (let row = Math.round(v); row < Math.round(v) + POINT; row++) {
        for (let column = Math.round(u); column < Math.round(u) + POINT; column++) {
          if (row < 0 || column < 0 || row >= height || column >= width) continue;
          const at = row * width + column;
          if (depth >= depths[at]) continue;
          depths[at] = depth;
          image.data[4 * at] = layer.colours[i];
          image.data[4 * at + 1] = layer.colours[i + 1];
          image.data[4 * at + 2] = layer.colours[i + 2];
        }
      }
    }
  }

  stroke(places, colour, width) {
    const context = this.context;
    context.strokeStyle = colour; context.lineWidth = width; context.beginPath();
    let pen = false;
    for (const place of places) {
      const [u, v, depth] = this.project(place);
      if (depth < NEAR * this.size) { pen = false; continue; }
      if (pen) context.lineTo(u, v); else context.moveTo(u, v);
      pen = true;
    }
    context.stroke();
  }

  lines(layer, colour) {
    this.stroke(layer.path, colour, 2);
    const size = 0.025 * this.size;
    for (const m of layer.cameras) {
      const at = (x, y, z) => [0, 1, 2].map((row) => m[4 * row] * x + m[4 * row + 1] * y + m[4 * row + 2] * z + m[4 * row + 3]);
      const corners = [[-1, -0.75], [1, -0.75], [1, 0.75], [-1, 0.75]].map(([x, y]) => at(0.6 * size * x, 0.6 * size * y, size));
      this.stroke([...corners, corners[0]], colour, 1);
      for (const corner of corners) this.stroke([at(0, 0, 0), corner], colour, 1);
    }
  }

  axes() {
    const length = 0.08 * this.size;
    [['#e5484d', 0], ['#30a46c', 1], ['#3b82f6', 2]].forEach(([colour, axis]) => {
      const tip = [0, 0, 0]; tip[axis] = length;
      this.stroke([[0, 0, 0], tip], colour, 3);
    });
  }
}

function tone(number) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--tone${number}`).trim();
}

function rgb(text) {
  const number = parseInt(text.trim().slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255];
}

const views = [...document.querySelectorAll('.scene')].map((holder) =>
  new View(holder, JSON.parse(holder.querySelector('script').textContent)));

function repaint() {
  for (const dot of document.querySelectorAll('.layers i')) dot.style.background = tone(dot.dataset.tone);
  for (const view of views) view.draw();
}

document.getElementById('theme').addEventListener('click', () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  repaint();
});
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
