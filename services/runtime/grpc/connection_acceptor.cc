#include "services/runtime/grpc/connection_acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/core/client_network.h"
#include "services/core/ip_network.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::runtime {
namespace {

constexpr int kBacklog = 4096;  // The kernel lowers it to net.core.somaxconn.
// How often the gauge forgets the connections that are closed.
constexpr int kIdleMilliseconds = 1000;
// Out of descriptors or memory: how long to wait for others to free some.
constexpr int kResourcePauseMilliseconds = 100;

prometheus::Gauge& AddGauge(const char* name, const char* help, prometheus::Registry& registry) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Counter& AddRefused(const char* reason, prometheus::Registry& registry) {
  return prometheus::BuildCounter()
      .Name("entrepot_grpc_server_connections_refused_total")
      .Help("Connections closed at once because of the bound on all connections, or on those of one address")
      .Register(registry)
      .Add({{"reason", reason}});
}

// `size` is the number of its bytes that bind() reads.
sockaddr_storage ToSocketAddress(const IpAddress& address, uint16_t port, socklen_t* size) {
  sockaddr_storage storage{};
  if (address.is_ipv4()) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    std::memcpy(&ipv4.sin_addr, address.bytes().data() + 12, sizeof(ipv4.sin_addr));
    *size = sizeof(ipv4);
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    std::memcpy(&ipv6.sin6_addr, address.bytes().data(), sizeof(ipv6.sin6_addr));
    *size = sizeof(ipv6);
  }
  return storage;
}

uint16_t PortOf(int listener) {
  sockaddr_storage bound{};
  socklen_t size = sizeof(bound);
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  return ntohs(bound.ss_family == AF_INET ? reinterpret_cast<const sockaddr_in&>(bound).sin_port
                                          : reinterpret_cast<const sockaddr_in6&>(bound).sin6_port);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> ConnectionAcceptor::Create(
    absl::string_view address, uint16_t port, size_t connections_max,
    const std::shared_ptr<prometheus::Registry>& registry) {
  std::unique_ptr<ConnectionAcceptor> acceptor(new ConnectionAcceptor(connections_max, registry));
  if (absl::Status status = acceptor->Listen(address, port); !status.ok()) return status;
  return acceptor;
}

ConnectionAcceptor::ConnectionAcceptor(size_t connections_max, const std::shared_ptr<prometheus::Registry>& registry)
    : limits_{.max = connections_max, .per_source_max = std::max<size_t>(1, connections_max / kShare)},
      connections_(limits_),
      open_(AddGauge("entrepot_grpc_server_connections", "Open connections", *registry)),
      refused_for_sum_(AddRefused("sum", *registry)),
      refused_for_address_(AddRefused("address", *registry)) {
  AddGauge("entrepot_grpc_server_connections_max", "The most connections that may be open", *registry)
      .Set(static_cast<double>(connections_max));
}

ConnectionAcceptor::~ConnectionAcceptor() { Stop(); }

absl::Status ConnectionAcceptor::Listen(absl::string_view address, uint16_t port) {
  const auto failed = [&](absl::string_view reason) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", HostAndPort(address, port), " for gRPC: ", reason));
  };
  const std::optional<IpAddress> ip = IpAddress::Parse(address);
  if (!ip.has_value()) return failed("it is not an IP address");
  socklen_t size = 0;
  const sockaddr_storage at = ToSocketAddress(*ip, port, &size);
  constexpr int kOn = 1;
  listener_ = OwnedFd(::socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int fd = listener_.get();
  // Accepted sockets inherit TCP_NODELAY.
  if (fd < 0 || ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof(kOn)) != 0 ||
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof(kOn)) != 0 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&at), size) != 0 || ::listen(fd, kBacklog) != 0) {
    return failed(std::strerror(errno));
  }
  stop_ = OwnedFd(::eventfd(0, EFD_CLOEXEC));
  if (stop_.get() < 0) return failed(std::strerror(errno));
  port_ = PortOf(fd);
  return absl::OkStatus();
}

void ConnectionAcceptor::Run(Serve serve) {
  serve_ = std::move(serve);
  thread_ = std::thread([this] { Accept(); });
}

void ConnectionAcceptor::Stop() {
  if (thread_.joinable()) {
    const uint64_t one = 1;
    // Fails only if the counter of the eventfd is full.
    (void)!::write(stop_.get(), &one, sizeof(one));
    thread_.join();
  }
  listener_ = OwnedFd();
}

void ConnectionAcceptor::Accept() {
  while (Wait()) {
    while (AcceptOne()) {
    }
    connections_.RemoveClosed(OpenConnections::Clock::now());
    open_.Set(static_cast<double>(connections_.size()));
  }
}

bool ConnectionAcceptor::Wait() const {
  pollfd waited[] = {{stop_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
  ::poll(waited, 2, kIdleMilliseconds);
  return waited[0].revents == 0;
}

bool ConnectionAcceptor::AcceptOne() {
  sockaddr_storage peer{};
  socklen_t size = sizeof(peer);
  OwnedFd fd(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (fd.get() < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    // That connection is gone already; another may wait.
    if (errno == ECONNABORTED || errno == EINTR || errno == EPROTO || errno == EPERM) return true;
    LogLimited(LogLevel::kWarning, "cannot accept connections", "gRPC", {{"error", std::strerror(errno)}});
    pollfd stop = {stop_.get(), POLLIN, 0};
    ::poll(&stop, 1, kResourcePauseMilliseconds);
    return false;
  }
  const std::optional<IpAddress> address = IpAddress::Of(peer);
  const std::string source = address.has_value() ? ClientNetwork(address->ToString()) : "";
  const OpenConnections::Outcome outcome = connections_.Admit(fd.get(), source, OpenConnections::Clock::now());
  if (outcome == OpenConnections::Outcome::kAdmitted) {
    // A peer that acknowledges nothing is gone. gRPC sets this on its own listeners.
    const unsigned timeout = kGrpcKeepaliveTimeoutMilliseconds;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
    serve_(std::move(fd));
  } else {
    Refuse(outcome, source);
  }
  return true;
}

void ConnectionAcceptor::Refuse(OpenConnections::Outcome outcome, const std::string& source) {
  const bool in_sum = outcome == OpenConnections::Outcome::kNoneLeft;
  (in_sum ? refused_for_sum_ : refused_for_address_).Increment();
  LogLimited(LogLevel::kWarning, "a connection for gRPC is refused", source,
             {{"address", source},
              {"limit", in_sum ? limits_.max : limits_.per_source_max},
              {"setting", in_sum ? "grpc.connections_max" : "a quarter of grpc.connections_max"}});
}

}  // namespace entrepot::runtime
