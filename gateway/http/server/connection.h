#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "gateway/http/client_socket.h"
#include "gateway/http/codec.h"
#include "gateway/http/connection_slots.h"
#include "gateway/http/peer.h"
#include "gateway/http/worker_context.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// One client's connection: a trusted proxy's PROXY header, TLS's handshake, the choice of the codec, and an end that
// lets the client see the last response. Lives on its worker's thread.
class Connection {
 public:
  // `worker` and `io` must outlive it.
  Connection(WorkerContext* worker, boost::asio::io_context& io, OwnedFd fd, std::string remote_address,
             std::unique_ptr<ConnectionSlots::Slot> slot);

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns when the connection may be destroyed.
  boost::asio::awaitable<void> Run();

  uint64_t slot_id() const { return slot_->id(); }
  // The slot is needed: ends at once if no request is under way.
  void GiveWay();
  // The server is draining: ends soon if no request is under way.
  void Drain();
  void CutOff() { socket_.CutOff(); }
  void OnTick(ClientSocket::Clock::time_point now) { socket_.OnTick(now); }

 private:
  // Reads the header of the PROXY protocol and takes its client as the peer. False if the connection has to be closed.
  boost::asio::awaitable<bool> ReadProxyHeader();
  void LogRefusal(absl::string_view reason) const;
  // TLS's handshake, or the decision to refuse plain HTTP. False if the connection has to be closed.
  boost::asio::awaitable<bool> BeginTls();
  std::unique_ptr<Codec> ChooseCodec();
  boost::asio::awaitable<void> Close(Codec::Ending ending);

  WorkerContext* const worker_;
  const std::unique_ptr<ConnectionSlots::Slot> slot_;  // Before the socket: its end comes after the descriptor's.
  Peer peer_;
  ClientSocket socket_;
  std::unique_ptr<Codec> codec_;  // Null before the end of TLS's handshake.
  bool is_http_on_tls_port_ = false;
  bool gave_way_ = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_CONNECTION_H_
