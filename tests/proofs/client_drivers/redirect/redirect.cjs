// Lets Node.js send all requests to the mirror at MIRROR_URL, whatever host a program names:
// node --require ./redirect.cjs program.js
"use strict";

const http = require("node:http");
const https = require("node:https");
const { urlToHttpOptions } = require("node:url");

const mirror = new URL(process.env.MIRROR_URL);
const { request: send } = http;

function request(...parts) {
  const listener = typeof parts.at(-1) === "function" ? parts.pop() : undefined;
  const isUrl = (part) => typeof part === "string" || part instanceof URL;
  const named = parts.map((part) => (isUrl(part) ? urlToHttpOptions(new URL(part)) : part));
  const { protocol, hostname, port } = mirror;
  const options = Object.assign({}, ...named, { protocol, hostname, host: hostname, port });
  options.path = mirror.pathname.replace(/\/$/, "") + options.path;
  // The agent of the program may be one for https.
  return send({ ...options, agent: undefined }, listener);
}

http.request = https.request = request;
http.get = https.get = (...parts) => request(...parts).end();
