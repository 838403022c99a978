#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/registry.h"
#include "services/core/time/deadline.h"
#include "services/runtime/grpc/connection_acceptor.h"
#include "services/runtime/grpc/peer_certificates.h"

namespace entrepot::runtime {

// A gRPC server with the parts that every service of the registry has: health (grpc.health.v1), reflection, metrics and
// a log of failures (grpc_interceptors.h), and limits on messages, threads and connections (connection_acceptor.h).
class GrpcServer {
 public:
  // Serves `services`, which must outlive the server, on `endpoint`. For tests, with port 0 the system chooses a port,
  // and with a connections_max of 0 the number of connections has no limit. With endpoint.tls it serves only the peers
  // that it names (grpc_credentials.h). kUnavailable: the server cannot listen on the address; the message names it.
  // kInvalidArgument: a file of endpoint.tls cannot be used.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const config::v1::Endpoint& endpoint,
                                                           const std::vector<grpc::Service*>& services,
                                                           const std::shared_ptr<prometheus::Registry>& registry);

  // Shuts down at once if it has not been called.
  ~GrpcServer();

  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The address that it listens on, such as "127.0.0.1:5011": a target for MakeChannel().
  const std::string& address() const { return address_; }

  // What health reports from now on: of the server as a whole whether it serves pulls, and of kPushHealthService
  // (grpc_transport.h) whether it serves pushes. Before the first call the whole is SERVING. Not after Shutdown().
  void ShowReadiness(bool pulls, bool pushes);

  // Sets health to NOT_SERVING and refuses new calls. Calls in progress may finish until `deadline` and are then
  // cancelled. Returns when no call is left. Must be called at most once.
  void Shutdown(Deadline deadline);

 private:
  GrpcServer(std::string address, std::unique_ptr<PeerCertificates> certificates, std::unique_ptr<grpc::Server> server,
             std::unique_ptr<ConnectionAcceptor> acceptor);

  const std::string address_;
  const std::unique_ptr<PeerCertificates> certificates_;  // Null without TLS.
  std::unique_ptr<grpc::Server> server_;                  // Null after Shutdown().
  const std::unique_ptr<ConnectionAcceptor> acceptor_;    // Gives server_ its connections.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_
