#ifndef ENTREPOT_GATEWAY_HTTP_SERVER_ACCEPTOR_H_
#define ENTREPOT_GATEWAY_HTTP_SERVER_ACCEPTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "boost/asio/awaitable.hpp"
#include "boost/asio/io_context.hpp"
#include "boost/asio/ip/tcp.hpp"
#include "boost/asio/steady_timer.hpp"
#include "gateway/http/connection_slots.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// Listens, and passes on each connection together with a slot. While no slot is free, clients wait in the kernel's
// queue. All methods but Create() run on the thread of `io`.
class Acceptor {
 public:
  // Receives a connected, non-blocking socket.
  using Serve = std::function<void(OwnedFd fd, std::string remote_address)>;

  // Listens on return; Run() begins to accept. `io` and `slots` must outlive it. kUnavailable: the address cannot be
  // used.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Create(boost::asio::io_context& io, absl::string_view address,
                                                          uint16_t port, ConnectionSlots* slots, Serve serve);

  uint16_t port() const { return port_; }

  // Accepts until Stop().
  boost::asio::awaitable<void> Run();

  // Accepts the connections that wait already, as far as slots are free, and stops listening.
  void Stop();

  // Call when a slot becomes free.
  void Resume() { pause_.cancel(); }

 private:
  using Listener = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  enum class Outcome { kAccepted, kNoneWaiting, kNoSlot, kNoResources };

  Acceptor(boost::asio::io_context& io, ConnectionSlots* slots, Serve serve);
  absl::Status Listen(absl::string_view address, uint16_t port);
  Outcome AcceptOne();
  boost::asio::awaitable<void> Pause(boost::asio::steady_timer::duration duration);

  Listener listener_;
  boost::asio::steady_timer pause_;
  ConnectionSlots* const slots_;
  const Serve serve_;
  uint16_t port_ = 0;
  bool stopped_ = false;
  bool out_of_resources_ = false;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_ACCEPTOR_H_
