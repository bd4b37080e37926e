# syntax=docker/dockerfile:1
# The image brings its own Node 24, so the packaged one (an optional dependency, 190 MB) stays out of every stage.
FROM node:24-bookworm-slim AS base
WORKDIR /app
COPY package.json package-lock.json ./

FROM base AS build
RUN npm ci --omit=optional --no-audit --no-fund
COPY tsconfig.json nest-cli.json ./
COPY migrations migrations
COPY src src
RUN npx nest build
# Loads everything and ends, because nothing is configured here: what V8 compiled stays in dist/.compile-cache.
RUN node --max-semi-space-size=8 --v8-pool-size=1 dist/src/main.js; test $? -eq 78

FROM base AS runtime-packages
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim AS runtime
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 SPOOL_DIR=/var/lib/wxpay/spool
WORKDIR /app
COPY --from=base /app/package.json ./
COPY --from=runtime-packages /app/node_modules node_modules
COPY --from=build /app/dist dist
# What is accepted while MySQL is away lies here: give it a volume that survives the container, one per replica.
RUN install -d -o node -g node -m 700 /var/lib/wxpay/spool
VOLUME /var/lib/wxpay/spool
USER node
EXPOSE 8080
STOPSIGNAL SIGTERM
# Live, not ready: a backend that waits for MySQL does its work and must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "--max-semi-space-size=8", "--v8-pool-size=1", "dist/src/main.js"]
