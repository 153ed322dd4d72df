// Draws a design of makerhub's own (GLB with quantised corners, see designs/glb.py) as its picture does: the same view,
// lamp and plastic. The design turns before the eye, the lamp stays. Needs WebGL 2 and nothing else; draws only when
// something moves, and moves by itself only where the person has not asked for less motion.

const AZIMUTH = 32, ELEVATION = 42, DISTANCE = 4.2, MARGIN = 0.075;
const CLOSEST = 8, FARTHEST = 0.5, KEY_STEP = 15, DEGREES_PER_PIXEL = 0.45, OPENING_MS = 900;

const VERTEX = `#version 300 es
  in vec3 place; in vec3 across;
  uniform mat4 stage, camera;
  out vec3 normal;
  void main() {
    vec4 there = stage * vec4(place, 1.0);
    normal = mat3(stage) * across;
    gl_Position = camera * there;
  }`;

const FRAGMENT = `#version 300 es
  precision highp float;
  in vec3 normal;
  uniform vec3 eye;
  out vec4 colour;
  const vec3 plastic = vec3(0.014, 0.225, 0.240), lamp = vec3(1.00, 0.95, 0.86) * 1.25;
  const vec3 sky = vec3(0.90, 0.96, 1.00) * 0.55, bounce = vec3(1.00, 0.92, 0.80) * 0.20;
  void main() {
    vec3 n = normalize(normal), toLamp = normalize(vec3(-0.652, 1.0, 0.466));
    float lit = max(dot(n, toLamp), 0.0), open = 0.5 + 0.5 * n.y;
    vec3 light = lit * lamp + open * sky + (1.0 - open) * bounce + 0.10;
    float glint = pow(max(dot(n, normalize(toLamp + eye)), 0.0), 24.0) * min(lit * 2.0, 1.0);
    float rim = pow(1.0 - max(dot(n, eye), 0.0), 4.0) * min(open * 1.5, 1.0);
    vec3 linear = light * plastic + 0.16 * glint + 0.10 * rim;
    vec3 bent = mix(linear, 0.7 + 0.3 * tanh((linear - 0.7) / 0.3), step(0.7, linear));
    colour = vec4(mix(bent * 12.92, 1.055 * pow(max(bent, 1e-9), vec3(1.0 / 2.4)) - 0.055, step(0.0031308, bent)), 1.0);
  }`;

// Fetches the design at `address` and gets ready to draw it on `canvas`; `onLost` is called when the browser takes the
// graphics away. Throws where it has none to give.
export async function open(canvas, address, onLost) {
  const gl = canvas.getContext("webgl2", { antialias: true });
  if (!gl) throw new Error("no WebGL 2");
  canvas.addEventListener("webglcontextlost", onLost);
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
  return new Turntable(canvas, gl, read(await answer.arrayBuffer()));
}

// The nodes that have a mesh, each with where its numbers lie and a matrix; it goes by what makerhub writes.
function read(content) {
  const words = new DataView(content).getUint32(12, true);
  const scene = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 20, words)));
  const start = 28 + words;
  const root = new DOMMatrix(scene.nodes[0].matrix);
  const pieces = scene.nodes[0].children.map((number) => {
    const node = scene.nodes[number];
    const { attributes, indices } = scene.meshes[node.mesh].primitives[0];
    return {
      mesh: node.mesh,
      matrix: root.multiply(new DOMMatrix(node.matrix)),
      bounds: scene.accessors[attributes.POSITION],
      faces: scene.accessors[indices],
    };
  });
  const bytes = scene.bufferViews.map((view) => new Uint8Array(content, start + view.byteOffset, view.byteLength));
  return { pieces, bytes };
}

// The corners of the boxes around the pieces.
function cornersOf(pieces) {
  const corners = [];
  for (const { matrix, bounds: { min, max } } of pieces) {
    for (let corner = 0; corner < 8; corner += 1) {
      const [x, y, z] = [0, 1, 2].map((axis) => (corner >> axis) & 1 ? max[axis] : min[axis]);
      corners.push(matrix.transformPoint(new DOMPoint(x, y, z)));
    }
  }
  return corners;
}

class Turntable {
  constructor(canvas, gl, { pieces, bytes }) {
    Object.assign(this, { canvas, gl, pieces, pointers: new Map(), frame: 0, spin: 0, until: 0, moved: 0 });
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    this.place(cornersOf(pieces));
    this.load(bytes);
    this.listen();
  }

  // Puts the middle of the design into the origin and finds the scale at which it fills the picture but for its margin.
  place(corners) {
    const [low, high] = [Math.min, Math.max].map((most) => ["x", "y", "z"].map((axis) => most(...corners.map((c) => c[axis]))));
    const middle = low.map((value, axis) => (value + high[axis]) / 2);
    this.radius = Math.hypot(...low.map((value, axis) => (high[axis] - value) / 2));
    this.centred = new DOMMatrix().translate(...middle.map((value) => -value));
    Object.assign(this, { home: [0, 0], fit: 1 });
    this.reset();
    const seen = corners.map((corner) => this.camera(1).multiply(this.stage()).transformPoint(corner));
    const [across, up] = ["x", "y"].map((axis) => seen.map((point) => point[axis] / point.w));
    this.fit = 2 * (1 - 2 * MARGIN) / Math.max(...[across, up].map((places) => Math.max(...places) - Math.min(...places)));
    this.home = [across, up].map((places) => -this.fit * (Math.max(...places) + Math.min(...places)) / 2);
    this.reset();
  }

  reset() {
    Object.assign(this, { azimuth: AZIMUTH, elevation: ELEVATION, zoom: 1, shift: this.home, spin: 0 });
  }

  // Opens with a short turn towards the picture's view.
  begin() {
    this.reset();
    if (!this.still.matches) this.until = performance.now() + OPENING_MS;
    this.redraw();
  }

  stage(azimuth = this.azimuth) {
    return new DOMMatrix().rotateAxisAngle(0, 1, 0, azimuth).multiply(this.centred);
  }

  camera(scale, aspect = 1) {
    const distance = DISTANCE * this.radius, [near, far] = [distance - 1.2 * this.radius, distance + 1.2 * this.radius];
    const lens = new DOMMatrix([
      scale / aspect, 0, 0, 0,
      0, scale, 0, 0,
      -this.shift[0], -this.shift[1], (near + far) / (near - far), -1,
      0, 0, 2 * near * far / (near - far), 0,
    ]);
    return lens.translate(0, 0, -distance).rotateAxisAngle(1, 0, 0, this.elevation);
  }

  load(bytes) {
    const { gl } = this;
    this.buffers = bytes.map((content, number) => {
      const kind = number % 2 ? gl.ELEMENT_ARRAY_BUFFER : gl.ARRAY_BUFFER, buffer = gl.createBuffer();
      gl.bindBuffer(kind, buffer);
      gl.bufferData(kind, content, gl.STATIC_DRAW);
      return buffer;
    });
    this.program = linked(gl);
    this.uniforms = Object.fromEntries(["stage", "camera", "eye"].map((name) => [name, gl.getUniformLocation(this.program, name)]));
    gl.useProgram(this.program);
    gl.enable(gl.DEPTH_TEST);
    gl.enable(gl.CULL_FACE);
    for (const name of ["place", "across"]) gl.enableVertexAttribArray(gl.getAttribLocation(this.program, name));
  }

  redraw() {
    this.frame ||= requestAnimationFrame((now) => { this.frame = 0; this.draw(now); });
  }

  draw(now) {
    const { gl, canvas } = this;
    if (!canvas.clientWidth) return;
    const left = Math.max(0, (this.until - now) / OPENING_MS);
    if (this.pointers.size === 0) this.roll();
    if (left > 0 || this.spin) this.redraw();
    const sharpness = Math.min(devicePixelRatio, 2);
    canvas.width = canvas.clientWidth * sharpness;
    canvas.height = canvas.clientHeight * sharpness;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const tilt = this.elevation * Math.PI / 180;
    gl.uniform3f(this.uniforms.eye, 0, Math.sin(tilt), Math.cos(tilt));
    gl.uniformMatrix4fv(this.uniforms.camera, false, this.camera(this.fit * this.zoom, canvas.width / canvas.height).toFloat32Array());
    const stage = this.stage(this.azimuth - 60 * left ** 3);
    for (const piece of this.pieces) this.drawPiece(piece, stage);
  }

  // Goes on turning for a moment after it was let go.
  roll() {
    this.azimuth += this.spin;
    this.spin = Math.abs(this.spin) > 0.05 ? this.spin * 0.92 : 0;
  }

  drawPiece({ mesh, matrix, faces }, stage) {
    const { gl, program } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[2 * mesh]);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers[2 * mesh + 1]);
    gl.vertexAttribPointer(gl.getAttribLocation(program, "place"), 3, gl.UNSIGNED_SHORT, false, 12, 0);
    gl.vertexAttribPointer(gl.getAttribLocation(program, "across"), 3, gl.BYTE, true, 12, 8);
    gl.uniformMatrix4fv(this.uniforms.stage, false, stage.multiply(matrix).toFloat32Array());
    gl.drawElements(gl.TRIANGLES, faces.count, faces.componentType, 0);
  }

  listen() {
    const { canvas } = this;
    const on = (event, answer) => canvas.addEventListener(event, (said) => { answer.call(this, said); this.redraw(); });
    on("pointerdown", this.hold);
    on("pointermove", this.drag);
    for (const event of ["pointerup", "pointercancel"]) on(event, this.release);
    on("keydown", this.press);
    on("dblclick", this.reset);
    canvas.addEventListener("wheel", (said) => {
      if (!said.ctrlKey) return;  // what scrolls the page goes on scrolling it; pinching a touchpad comes with this key
      said.preventDefault();
      this.approach(Math.exp(-said.deltaY / 100));
      this.redraw();
    }, { passive: false });
    new ResizeObserver(() => this.redraw()).observe(canvas);
  }

  hold(said) {
    this.canvas.setPointerCapture(said.pointerId);
    this.pointers.set(said.pointerId, [said.clientX, said.clientY]);
    this.spin = this.until = 0;
  }

  drag(said) {
    const before = this.pointers.get(said.pointerId);
    if (!before) return;
    const now = [said.clientX, said.clientY], [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    const other = [...this.pointers].find(([id]) => id !== said.pointerId)?.[1];
    this.pointers.set(said.pointerId, now);
    if (other) {
      const apart = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
      this.approach(apart(now) / apart(before));
      this.shift = [this.shift[0] + 2 * dx / this.canvas.clientWidth, this.shift[1] - 2 * dy / this.canvas.clientHeight];
    } else {
      this.turn(dx * DEGREES_PER_PIXEL, dy * DEGREES_PER_PIXEL);
      this.spin = this.still.matches ? 0 : dx * DEGREES_PER_PIXEL * 0.5;
      this.moved = said.timeStamp;
    }
  }

  release(said) {
    this.pointers.delete(said.pointerId);
    if (said.type === "pointercancel" || said.timeStamp - this.moved > 60) this.spin = 0;
  }

  press(said) {
    const steps = { ArrowLeft: [-KEY_STEP, 0], ArrowRight: [KEY_STEP, 0], ArrowUp: [0, -KEY_STEP], ArrowDown: [0, KEY_STEP] };
    if (said.ctrlKey || said.metaKey || said.altKey) return;
    if (said.key in steps) this.turn(...steps[said.key]);
    else if (said.key === "+" || said.key === "=") this.approach(1.25);
    else if (said.key === "-") this.approach(0.8);
    else if (said.key === "0") this.reset();
    else if (said.key === "Escape") this.canvas.dispatchEvent(new Event("rest"));
    else return;
    said.preventDefault();
  }

  turn(right, down) {
    this.azimuth += right;
    this.elevation = Math.min(90, Math.max(-90, this.elevation + down));
  }

  approach(factor) {
    this.zoom = Math.min(CLOSEST, Math.max(FARTHEST, this.zoom * factor));
  }
}

function linked(gl) {
  const program = gl.createProgram();
  for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}
