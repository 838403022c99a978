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
#include "gateway/http/trusted_proxies.h"
#include "services/core/files/owned_fd.h"

namespace entrepot::gateway::http {

// Listens, and passes on each connection together with a slot. While no slot is free, clients wait in the kernel's
// queue. All methods but Create() run on the thread of `io`.
class Acceptor {
 public:
  using Clock = boost::asio::steady_timer::clock_type;

  // Receives a connected, non-blocking socket.
  using Serve =
      std::function<void(OwnedFd fd, std::string remote_address, std::unique_ptr<ConnectionSlots::Slot> slot)>;
  // Receives such a socket if its source has used up its share of the connections.
  using Refuse = std::function<void(OwnedFd fd)>;

  // Listens on return; Run() begins to accept. `io`, `slots` and `proxies` must outlive it. Connections of `proxies`,
  // if it is not null, count to no share: many clients are behind each. kUnavailable: the address cannot be used.
  static absl::StatusOr<std::unique_ptr<Acceptor>> Create(boost::asio::io_context& io, absl::string_view address,
                                                          uint16_t port, ConnectionSlots* slots,
                                                          const TrustedProxies* proxies, Serve serve, Refuse refuse);

  uint16_t port() const { return port_; }

  // Accepts until it is stopped. Then closes the entrance of `slots`.
  boost::asio::awaitable<void> Run();

  // Begins no connection any more, and goes on for `grace` to accept those that have begun: the kernel resets what it
  // has not handed over when the port is closed. With a grace of 0, accepts only those that wait already. A client that
  // connects within the grace gets no answer to its SYN; it tries again after a second and finds the port closed.
  void Stop(Clock::duration grace);

  // Call when a slot becomes free.
  void Resume() { pause_.cancel(); }

 private:
  using Listener = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  enum class Outcome { kAccepted, kNoneWaiting, kNoSlot, kNoResources };

  Acceptor(boost::asio::io_context& io, ConnectionSlots* slots, const TrustedProxies* proxies, Serve serve,
           Refuse refuse);
  absl::Status Listen(absl::string_view address, uint16_t port);
  Outcome AcceptOne();
  // Gives pending_ to serve_ or refuse_.
  Outcome Admit();
  boost::asio::awaitable<void> WaitFor(Outcome outcome);
  void Close();

  Listener listener_;
  boost::asio::steady_timer pause_;
  ConnectionSlots* const slots_;
  const TrustedProxies* const proxies_;
  const Serve serve_;
  const Refuse refuse_;
  uint16_t port_ = 0;
  // The connection that was accepted last, while it has no slot.
  OwnedFd pending_;
  std::string pending_address_;
  std::string pending_source_;
  bool stopping_ = false;
  Clock::time_point close_at_;
};

}  // namespace entrepot::gateway::http

#endif  // ENTREPOT_GATEWAY_HTTP_SERVER_ACCEPTOR_H_
