/** Config trees that real services run from. A host's services listen on its own address only: all share one network. */
import type { Tree } from '../support/tree.ts'

const NGINX_UNIT = `[Unit]
Description=nginx, configured by git-deploy
[Service]
Type=forking
PIDFile=/run/nginx-deploy.pid
ExecStart=/usr/sbin/nginx -c /var/lib/deptool/apps/nginx/current/nginx.conf
ExecReload=/usr/sbin/nginx -c /var/lib/deptool/apps/nginx/current/nginx.conf -s reload
[Install]
WantedBy=multi-user.target
`

/** nginx as an app of its own unit; `body` is what it answers. */
export function nginx(host: string, address: string, body: string): Tree {
  return {
    [`${host}/nginx/nginx.conf`]: `pid /run/nginx-deploy.pid;
events {}
http { server { listen ${address}:8080; location / { return 200 "${body}\\n"; } } }
`,
    [`${host}/nginx/systemd/web.service`]: NGINX_UNIT,
    [`${host}/nginx/manifest.json`]: '{"systemd": {"units_enabled": ["web.service"]}}',
  }
}

/** A service of Type=simple that runs for ever. */
export function sleeper(host: string, app: string, more = ''): Tree {
  return {
    [`${host}/${app}/systemd/${app}.service`]: `[Service]
ExecStart=/bin/sleep infinity
${more}[Install]
WantedBy=multi-user.target
`,
    [`${host}/${app}/manifest.json`]: `{"systemd": {"units_enabled": ["${app}.service"]}}`,
  }
}
