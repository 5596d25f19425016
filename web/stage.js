// What stands in for the video: northern lights over hills, in colours of the video's own, which brighten with the comments.
//
// The lights are drawn small and scaled up, at most 30 times a second, and not at all while they cannot be seen. Stars and
// hills, which do not move, lie sharp on another canvas. With reduced motion there is one still picture.

const FRAME_MS = 1000 / 30;
const WIDTH = 256; // pixels of the lights
const SPARKS = 24;
const CALM_S = 6; // until the light of a comment has faded to a third

const motion = matchMedia('(prefers-reduced-motion: reduce)');

// The hue of a video, the same everywhere, from green over blue to pink: 130-329.
export function hueOf(text) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
  return 130 + ((hash ^ (hash >>> 13)) % 200);
}

// A generator of numbers from 0 to 1, the same for the same seed.
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export class Stage {
  #canvas;
  #context;
  #front;
  #visible = true; // in the window
  #request = 0;
  #drawnAt = 0;
  #energy = 0; // of the comments, 0 to 1
  #sparks = [];
  #hue = 170;
  #sky;
  #lights; // a strip of each curtain's colour

  // Two canvases of the same size, the first behind the second.
  constructor(canvas, front) {
    this.#canvas = canvas;
    this.#front = front;
    this.#context = canvas.getContext('2d', { alpha: false });
    new ResizeObserver(() => this.#resize()).observe(canvas);
    new IntersectionObserver(([entry]) => {
      this.#visible = entry.isIntersecting;
      this.#run();
    }).observe(canvas);
    document.addEventListener('visibilitychange', () => this.#run());
    motion.addEventListener('change', () => this.#run());
  }

  show(video) {
    this.#hue = hueOf(video);
    this.#sparks = [];
    this.#energy = 0;
    this.#resize();
  }

  // A comment has been posted.
  pulse() {
    this.#energy = Math.min(1, this.#energy + 0.07);
    if (this.#sparks.length < SPARKS && !motion.matches) this.#sparks.push({ x: Math.random(), age: 0, sway: Math.random() * 6 });
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (!clientWidth || !clientHeight) return;
    this.#canvas.width = WIDTH;
    this.#canvas.height = Math.max(40, Math.round((WIDTH * clientHeight) / clientWidth));
    this.#mixLights();
    this.#drawFront(clientWidth, clientHeight);
    this.#draw(this.#drawnAt, 0);
    this.#run();
  }

  #run() {
    const runs = this.#visible && !document.hidden && !motion.matches;
    if (runs) this.#request ||= requestAnimationFrame((now) => this.#frame(now));
    else {
      cancelAnimationFrame(this.#request);
      this.#request = 0;
    }
  }
  #frame(now) {
    this.#request = requestAnimationFrame((next) => this.#frame(next));
    const passed = now - this.#drawnAt;
    if (passed < FRAME_MS - 2) return; // a screen's frame may come a little early
    this.#drawnAt = now;
    this.#draw(now, Math.min(passed, 100) / 1000);
  }

  #mixLights() {
    const hue = this.#hue;
    this.#sky = this.#context.createLinearGradient(0, 0, 0, this.#canvas.height);
    this.#sky.addColorStop(0, '#04060d');
    this.#sky.addColorStop(0.6, `hsl(${hue + 40} 45% 10%)`);
    this.#sky.addColorStop(1, `hsl(${hue + 10} 50% 22%)`);
    this.#lights = [0, 40, 95].map((turn) => {
      const strip = new OffscreenCanvas(1, 64), context = strip.getContext('2d');
      const light = context.createLinearGradient(0, 0, 0, 64);
      const colour = (alpha, lightness) => `hsl(${hue + turn} 90% ${lightness}% / ${alpha})`;
      light.addColorStop(0, colour(0, 60));
      light.addColorStop(0.5, colour(0.25, 58));
      light.addColorStop(0.86, colour(0.8, 62));
      light.addColorStop(1, colour(0, 75));
      context.fillStyle = light;
      context.fillRect(0, 0, 1, 64);
      return strip;
    });
  }

  #drawFront(width, height) {
    const sharp = Math.min(devicePixelRatio, 2), random = chance(this.#hue + 1), context = this.#front.getContext('2d');
    this.#front.width = width * sharp;
    this.#front.height = height * sharp;
    context.scale(sharp, sharp);
    for (let i = 0; i < 130; i++) {
      context.fillStyle = `rgb(235 240 255 / ${0.12 + 0.7 * random() ** 3})`;
      context.beginPath();
      context.arc(random() * width, random() * height * 0.72, 0.4 + 0.7 * random(), 0, 7);
      context.fill();
    }
    for (const [level, rise, light] of [[0.82, 0.1, 8], [0.9, 0.06, 4]]) {
      const phase = random() * 10;
      context.fillStyle = `hsl(${this.#hue + 30} 40% ${light}%)`;
      context.beginPath();
      context.moveTo(0, height);
      for (let x = 0; x <= width; x += 2) {
        const u = (x / width) * 6.8;
        const ridge = Math.sin(u + phase) + 0.5 * Math.sin(2.5 * u + 2 * phase) + 0.16 * Math.sin(8 * u + phase) + 0.05 * Math.sin(23 * u);
        context.lineTo(x, height * (level - rise * ridge * 0.55));
      }
      context.lineTo(width, height);
      context.fill();
    }
  }

  #draw(now, seconds) {
    if (!this.#lights) return;
    const context = this.#context, { width, height } = this.#canvas;
    this.#energy *= Math.exp(-seconds / CALM_S);
    context.globalCompositeOperation = 'source-over';
    context.globalAlpha = 1;
    context.fillStyle = this.#sky;
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = 'lighter';
    this.#lights.forEach((light, i) => this.#drawCurtain(light, i, now / 1000));
    this.#drawSparks(seconds, width, height);
  }

  // A curtain is a strip of light for each pixel of the width: its foot folds, its height and brightness wander.
  #drawCurtain(light, i, at) {
    const context = this.#context, { width, height } = this.#canvas;
    const strength = 0.5 + 0.5 * this.#energy;
    for (let x = 0; x < width; x++) {
      const u = (x / width) * 6;
      const fold = Math.sin(u * (1.1 + 0.3 * i) + at * 0.16 + i * 2.1) + 0.55 * Math.sin(u * 2.7 - at * 0.11 + i);
      const foot = height * (0.68 - 0.08 * i + 0.085 * fold);
      const tall = height * (0.36 + 0.12 * Math.sin(u * 1.7 + at * 0.23 + i) + 0.14 * this.#energy);
      const rays = 0.72 + 0.2 * Math.sin(u * 9.3 + at * (0.5 + 0.2 * i) + 3 * i) + 0.08 * Math.sin(u * 31 - at * 1.3);
      const drift = 0.5 + 0.5 * Math.sin(u * 0.9 - at * 0.07 + 2 * i);
      context.globalAlpha = Math.min(1, strength * rays * (0.15 + 0.85 * drift));
      context.drawImage(light, x, foot - tall, 1, tall);
    }
  }

  // One rises for each comment.
  #drawSparks(seconds, width, height) {
    const context = this.#context;
    context.fillStyle = `hsl(${this.#hue + 20} 90% 82%)`;
    for (const spark of this.#sparks) {
      spark.age += seconds / 3.5;
      const x = (spark.x * 0.9 + 0.05) * width + 4 * Math.sin(spark.sway + spark.age * 5);
      const y = height * (0.92 - 0.55 * spark.age);
      context.globalAlpha = Math.max(0, Math.sin(Math.PI * Math.min(spark.age, 1))) * 0.9;
      context.beginPath();
      context.arc(x, y, 1.1, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
    this.#sparks = this.#sparks.filter(({ age }) => age < 1);
  }
}
