// Node's side of TLS connections, for `.ci/peers tls`, with the same commands as the program `peer` of ours:
//
//   peer.cjs server FOLDER GROUPS               prints `port N`, then a line for each connection
//   peer.cjs client FOLDER GROUPS PORT TIMES    prints the page of each connection
const fs = require('node:fs')
const tls = require('node:tls')

const [role, folder, groups, port, times] = process.argv.slice(2)
const cert = fs.readFileSync(`${folder}/cert.pem`)
const options = { ecdhCurve: groups.replaceAll(',', ':'), minVersion: 'TLSv1.3' }

function fail(error) {
  console.log(/ecdh curve/.test(error.message) ? 'unknown' : `error ${error.message}`)
  process.exitCode = 1
}

function serve() {
  const key = fs.readFileSync(`${folder}/key.pem`)
  const server = tls.createServer({ ...options, cert, key }, (socket) => {
    console.log(socket.isSessionReused())
    socket.on('error', fail)
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nanswer\n'))
  })
  server.on('tlsClientError', fail)
  server.listen(0, '127.0.0.1', () => console.log('port', server.address().port))
}

function connect(left, session) {
  if (left === 0) return
  let ticket
  const socket = tls.connect({ ...options, port, host: '127.0.0.1', servername: 'localhost', ca: cert, session })
  socket.setTimeout(10000, () => socket.destroy(new Error('too slow')))
  socket.on('session', (given) => { ticket = given })
  socket.on('error', fail)
  socket.on('data', (data) => process.stdout.write(data))
  socket.on('end', () => connect(left - 1, ticket))
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n')
}

try {
  if (role === 'server') serve()
  else connect(Number(times))
} catch (error) {
  fail(error)
}
