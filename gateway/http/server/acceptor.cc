#include "gateway/http/server/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kBacklog = 4096;  // The kernel lowers it to net.core.somaxconn.
// Out of descriptors or memory: how long to wait for others to free some.
constexpr std::chrono::milliseconds kResourcePause{100};

std::string AddressText(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text, sizeof(text));
  } else if (peer.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      ::inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof(text));
    } else {
      ::inet_ntop(AF_INET6, &address, text, sizeof(text));
    }
  }
  return text;
}

}  // namespace

Acceptor::Acceptor(asio::io_context& io, ConnectionSlots* slots, Serve serve)
    : listener_(io), pause_(io), slots_(slots), serve_(std::move(serve)) {}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Create(asio::io_context& io, absl::string_view address,
                                                           uint16_t port, ConnectionSlots* slots, Serve serve) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(io, slots, std::move(serve)));
  if (absl::Status status = acceptor->Listen(address, port); !status.ok()) return status;
  return acceptor;
}

absl::Status Acceptor::Listen(absl::string_view address, uint16_t port) {
  const auto failed = [&](const error_code& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address, " port ", port, ": ", error.message()));
  };
  error_code error;
  const asio::ip::address ip = asio::ip::make_address(std::string(address), error);
  if (error) return failed(error);
  const asio::ip::tcp::endpoint endpoint(ip, port);
  listener_.open(endpoint.protocol(), error);
  if (!error) listener_.set_option(Listener::reuse_address(true), error);
  // Accepted sockets inherit it. Responses are written whole, so delaying small packets only costs time.
  if (!error) listener_.set_option(asio::ip::tcp::no_delay(true), error);
  if (!error) listener_.bind(endpoint, error);
  if (!error) listener_.listen(kBacklog, error);
  if (!error) listener_.non_blocking(true, error);
  asio::ip::tcp::endpoint bound;
  if (!error) bound = listener_.local_endpoint(error);
  if (error) return failed(error);
  port_ = bound.port();
  return absl::OkStatus();
}

asio::awaitable<void> Acceptor::Run() {
  while (!stopped_) {
    switch (AcceptOne()) {
      case Outcome::kAccepted:
        break;
      case Outcome::kNoneWaiting: {
        error_code error;
        co_await listener_.async_wait(Listener::wait_read, asio::redirect_error(asio::use_awaitable, error));
        break;
      }
      case Outcome::kNoSlot:
        co_await Pause(asio::steady_timer::duration::max());
        break;
      case Outcome::kNoResources:
        co_await Pause(kResourcePause);
        break;
    }
  }
}

void Acceptor::Stop() {
  while (AcceptOne() == Outcome::kAccepted) {
  }
  stopped_ = true;
  error_code ignored;
  listener_.close(ignored);
  pause_.cancel();
}

Acceptor::Outcome Acceptor::AcceptOne() {
  if (!slots_->TryTake()) return Outcome::kNoSlot;
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  OwnedFd fd(
      ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.get() >= 0) {
    out_of_resources_ = false;
    serve_(std::move(fd), AddressText(peer));
    return Outcome::kAccepted;
  }
  const int error = errno;
  slots_->Release();
  if (error == EAGAIN || error == EWOULDBLOCK) return Outcome::kNoneWaiting;
  // That connection is gone already; another may wait.
  if (error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM) return Outcome::kAccepted;
  if (!std::exchange(out_of_resources_, true)) {
    runtime::Log(runtime::LogLevel::kWarning, "cannot accept connections", {{"error", std::strerror(error)}});
  }
  return Outcome::kNoResources;
}

asio::awaitable<void> Acceptor::Pause(asio::steady_timer::duration duration) {
  error_code error;
  if (duration == asio::steady_timer::duration::max()) {
    pause_.expires_at(asio::steady_timer::time_point::max());
  } else {
    pause_.expires_after(duration);
  }
  co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

}  // namespace entrepot::gateway::http
