#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_CONNECTION_ACCEPTOR_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_CONNECTION_ACCEPTOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/core/files/owned_fd.h"
#include "services/runtime/grpc/open_connections.h"

namespace entrepot::runtime {

// Listens for the connections of a gRPC server and bounds their number, which gRPC's own listener does not: so many in
// sum, and a quarter of them for one address (of IPv6: one network of 64 bits). Further connections are closed at once,
// with a line in the log.
//
// Metrics: entrepot_grpc_server_connections, entrepot_grpc_server_connections_max, and
// entrepot_grpc_server_connections_refused_total{reason="sum"|"address"}.
class ConnectionAcceptor {
 public:
  // One address gets one part of so many.
  static constexpr size_t kShare = 4;

  // Receives a connected, non-blocking socket. Called on a thread of the acceptor.
  using Serve = std::function<void(OwnedFd fd)>;

  // Listens on return; Run() begins to accept. `address` is an IP address; with port 0 the system chooses one.
  // kUnavailable: it cannot be listened on; the message names it.
  static absl::StatusOr<std::unique_ptr<ConnectionAcceptor>> Create(
      absl::string_view address, uint16_t port, size_t connections_max,
      const std::shared_ptr<prometheus::Registry>& registry);

  // Stops if Stop() has not been called.
  ~ConnectionAcceptor();

  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

  uint16_t port() const { return port_; }

  // Accepts connections from now on. Call it at most once.
  void Run(Serve serve);

  // Closes the port. `serve` is not called after this returns.
  void Stop();

 private:
  ConnectionAcceptor(size_t connections_max, const std::shared_ptr<prometheus::Registry>& registry);
  absl::Status Listen(absl::string_view address, uint16_t port);
  void Accept();
  // Accepts one connection, if one waits. False: none waits, or there are no resources for one.
  bool AcceptOne();
  // Waits for a connection, but not for ever. False once Stop() was called.
  bool Wait() const;
  void Refuse(OpenConnections::Outcome outcome, const std::string& source);

  const OpenConnections::Limits limits_;
  OpenConnections connections_;  // Of thread_.
  prometheus::Gauge& open_;
  prometheus::Counter& refused_for_sum_;
  prometheus::Counter& refused_for_address_;
  OwnedFd listener_;
  OwnedFd stop_;  // An eventfd.
  uint16_t port_ = 0;
  Serve serve_;
  std::thread thread_;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_CONNECTION_ACCEPTOR_H_
