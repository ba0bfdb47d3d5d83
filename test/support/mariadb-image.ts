import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import type { OciImage } from './oci-image.ts'
import type { TarEntry } from './tar.ts'
import { busyboxImage } from './test-image.ts'

const SQL = '/usr/share/mysql'

/** What a database has before it is started for the first time, with one that clients may use. */
const FIRST = ['system_tables', 'performance_tables', 'system_tables_data']
  .map((name) => readFileSync(`${SQL}/mysql_${name}.sql`, 'utf8'))
  .join('\n')

const ENTRY = `#!/bin/sh
set -e
run="mariadbd --no-defaults --user=root --datadir=/var/lib/mysql --lc-messages-dir=${SQL} --socket=/run/db"
[ -d /var/lib/mysql/mysql ] || $run --bootstrap < /first.sql
cat > /run/init.sql << END
DELETE FROM mysql.global_priv WHERE User = '';
FLUSH PRIVILEGES;
CREATE DATABASE IF NOT EXISTS $DB_NAME;
CREATE USER IF NOT EXISTS '$DB_USER'@'%' IDENTIFIED BY '$DB_PASSWORD';
GRANT ALL ON $DB_NAME.* TO '$DB_USER'@'%';
END
exec $run --init-file=/run/init.sql
`

/** A page for which the database is asked: what it says, or why it does not. */
const PAGE = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
exec mariadb -N -h"\${DB_HOST%:*}" -P"\${DB_HOST#*:}" -u"$DB_USER" -p"$DB_PASSWORD" "$DB_NAME" -e "
CREATE TABLE IF NOT EXISTS visits (id INT AUTO_INCREMENT PRIMARY KEY); INSERT INTO visits VALUES (); SELECT COUNT(*) FROM visits" 2>&1
`

/** Debian's MariaDB server of this host: a real database, whose image makes it anew in an empty volume. */
export function mariadbImage(): OciImage {
  const english: TarEntry[] = readdirSync(`${SQL}/english`).map((name) => file(`${SQL}/english/${name}`))
  const charsets: TarEntry[] = readdirSync(`${SQL}/charsets`).map((name) => file(`${SQL}/charsets/${name}`))
  return busyboxImage({
    layers: [
      withLibraries('/usr/sbin/mariadbd', '/usr/bin/mariadb'),
      [
        ...english,
        ...charsets,
        { path: 'first.sql', content: `CREATE DATABASE mysql;\nUSE mysql;\n${FIRST}\n` },
        { path: 'entry', mode: 0o755, content: ENTRY },
        { path: 'www/cgi-bin/visits', mode: 0o755, content: PAGE },
      ],
    ],
    config: {
      Cmd: ['/entry'],
      Env: ['PATH=/usr/sbin:/usr/bin:/bin'],
      Volumes: { '/var/lib/mysql': {} },
    },
  })
}

/** Programs of this host, with what they are linked against. */
function withLibraries(...programs: readonly string[]): TarEntry[] {
  const output = programs.map((program) => execFileSync('ldd', [program], { encoding: 'utf8' })).join('\n')
  const libraries = new Set([...output.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path]) => path!))
  return [...programs, ...libraries].map(file)
}

function file(path: string): TarEntry {
  return { path: path.slice(1), mode: 0o755, content: readFileSync(path) }
}
