FROM node:22-bookworm-slim AS build
WORKDIR /app
# Copied first, so that a change of the sources keeps the layer of the installation.
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts/build ./scripts/build
COPY src ./src
COPY web ./web
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000 DATABASE_URL=sqlite:/data/order-hub.sqlite
WORKDIR /app
# The files stay root's: the hub may run its own code, not change it. Only the database's folder is its own.
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY --from=build /app/package.json ./
RUN install --directory --owner=node --group=node --mode=700 /data
VOLUME /data
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/health/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Nothing that a client sends can reach the prototype of all objects by `__proto__`. And what a batch makes is gone before it is collected.
CMD ["node", "--disable-proto=delete", "--max-semi-space-size=64", "dist/main.js"]
