# Meridian's image: built with all tools, run with none of them, as an ordinary user.
# "lts-slim" is the current LTS release of Node on Debian: koffi's binaries want glibc.
FROM node:lts-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --include=dev --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY src src
COPY scripts/bundle.mjs scripts/
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:lts-slim
# The program, and the country database that comes with it (NOTICE).
LABEL org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-4.0"
ENV NODE_ENV=production
WORKDIR /opt/meridian
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY dashboard dashboard
COPY data data
COPY LICENSE NOTICE ./
# Settings that listen on every address; mount your zones over the folder, or all of /etc/meridian.
COPY docker/meridian.yaml /etc/meridian/meridian.yaml
RUN mkdir -p /etc/meridian/zones /etc/meridian/geoip /var/lib/meridian \
 && chown node:node /var/lib/meridian /etc/meridian/geoip \
 && chmod 755 dist/cli/main.js \
 && ln -s /opt/meridian/dist/cli/main.js /usr/local/bin/meridian
USER node
WORKDIR /etc/meridian
VOLUME /var/lib/meridian
# Containers may bind port 53 without root (net.ipv4.ip_unprivileged_port_start is 0 in them).
EXPOSE 53/udp 53/tcp
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8053/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
# One helper thread for V8 instead of four: 10 MB less, and what is left for it to do is not in a hurry.
ENTRYPOINT ["node", "--v8-pool-size=1", "/opt/meridian/dist/cli/main.js"]
CMD ["serve", "--config", "/etc/meridian/meridian.yaml"]
