#include "gateway/http/server/acceptor.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boost/asio/ip/address.hpp"
#include "boost/asio/post.hpp"
#include "boost/asio/redirect_error.hpp"
#include "boost/asio/this_coro.hpp"
#include "boost/asio/use_awaitable.hpp"
#include "services/core/client_network.h"
#include "services/core/ip_network.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::gateway::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int kBacklog = 4096;  // The kernel lowers it to net.core.somaxconn.
// Out of descriptors or memory: how long to wait for others to free some.
constexpr std::chrono::milliseconds kResourcePause{100};
// So many connections are accepted before the others of the io_context have a turn.
constexpr int kTurn = 64;
// While no slot is free: how often to look for connections that wait for a request by now.
constexpr std::chrono::milliseconds kSlotPause{50};
// While the last connections are accepted: how often to look for them.
constexpr std::chrono::milliseconds kStoppingPause{10};

// The client's address as text.
std::string AddressText(const sockaddr_storage& peer) {
  const std::optional<IpAddress> address = IpAddress::Of(peer);
  return address.has_value() ? address->ToString() : "";
}

// Makes the kernel drop packets that begin a connection, and no others. Whether it does.
bool BeginNoMore(int listener) {
  constexpr uint32_t kFlagsByte = 13;  // Of TCP's header.
  constexpr uint32_t kSyn = 0x02;
  constexpr uint32_t kAck = 0x10;
  std::array<sock_filter, 5> program = {{
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kFlagsByte),
      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kSyn | kAck),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kSyn, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
      BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
  }};
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  return ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == 0;
}

}  // namespace

Acceptor::Acceptor(asio::io_context& io, ConnectionSlots* slots, const TrustedProxies* proxies, Serve serve,
                   Refuse refuse)
    : listener_(io),
      pause_(io),
      slots_(slots),
      proxies_(proxies),
      serve_(std::move(serve)),
      refuse_(std::move(refuse)) {}

absl::StatusOr<std::unique_ptr<Acceptor>> Acceptor::Create(asio::io_context& io, absl::string_view address,
                                                           uint16_t port, ConnectionSlots* slots,
                                                           const TrustedProxies* proxies, Serve serve, Refuse refuse) {
  std::unique_ptr<Acceptor> acceptor(new Acceptor(io, slots, proxies, std::move(serve), std::move(refuse)));
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
  int accepted = 0;
  while (true) {
    const Outcome outcome = AcceptOne();
    if (outcome == Outcome::kAccepted) {
      if (++accepted % kTurn == 0) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
      continue;
    }
    if (stopping_ && Clock::now() >= close_at_) break;
    co_await WaitFor(outcome);
  }
  Close();
}

asio::awaitable<void> Acceptor::WaitFor(Outcome outcome) {
  error_code error;
  if (outcome == Outcome::kNoneWaiting && !stopping_) {
    co_await listener_.async_wait(Listener::wait_read, asio::redirect_error(asio::use_awaitable, error));
    co_return;
  }
  pause_.expires_after(stopping_ ? kStoppingPause : outcome == Outcome::kNoResources ? kResourcePause : kSlotPause);
  co_await pause_.async_wait(asio::redirect_error(asio::use_awaitable, error));
}

void Acceptor::Stop(Clock::duration grace) {
  stopping_ = true;
  close_at_ = Clock::now();
  if (grace > Clock::duration::zero() && BeginNoMore(listener_.native_handle())) close_at_ += grace;
  error_code ignored;
  listener_.cancel(ignored);
  pause_.cancel();
}

void Acceptor::Close() {
  error_code ignored;
  listener_.close(ignored);
  pending_ = OwnedFd();
  slots_->CloseEntrance();
}

Acceptor::Outcome Acceptor::AcceptOne() {
  if (pending_.get() >= 0) return Admit();
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  OwnedFd fd(
      ::accept4(listener_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.get() >= 0) {
    pending_ = std::move(fd);
    pending_address_ = AddressText(peer);
    const bool is_proxy = proxies_ != nullptr && proxies_->Contains(pending_address_);
    pending_source_ = is_proxy ? "" : ClientNetwork(pending_address_);
    return Admit();
  }
  const int error = errno;
  if (error == EAGAIN || error == EWOULDBLOCK) return Outcome::kNoneWaiting;
  // That connection is gone already; another may wait.
  if (error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM) return Outcome::kAccepted;
  runtime::LogLimited(runtime::LogLevel::kWarning, "cannot accept connections", "", {{"error", std::strerror(error)}});
  slots_->MakeRoom();
  return Outcome::kNoResources;
}

Acceptor::Outcome Acceptor::Admit() {
  std::unique_ptr<ConnectionSlots::Slot> slot;
  switch (slots_->Take(pending_source_, &slot)) {
    case ConnectionSlots::Outcome::kTaken:
      serve_(std::move(pending_), std::move(pending_address_), std::move(slot));
      break;
    case ConnectionSlots::Outcome::kRefused:
      refuse_(std::move(pending_));
      break;
    case ConnectionSlots::Outcome::kWait:
      return Outcome::kNoSlot;
  }
  pending_ = OwnedFd();
  return Outcome::kAccepted;
}

}  // namespace entrepot::gateway::http
