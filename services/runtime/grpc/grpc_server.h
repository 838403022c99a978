#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/grpcpp.h"
#include "prometheus/registry.h"
#include "services/runtime/grpc/peer_certificates.h"

namespace entrepot::runtime {

// Requests and answers in one message; what is larger goes by stream.
inline constexpr int kGrpcMessageBytesMax = 16 * 1024 * 1024;

// A gRPC server with what every service of the registry has: health (grpc.health.v1), reflection, metrics and the log
// of failures (grpc_interceptors.h), bounded messages and threads.
class GrpcServer {
 public:
  // Serves `services`, which must outlive it, on `endpoint` (port 0, in tests, takes any); with endpoint.tls only to
  // the peers that it names (grpc_credentials.h). kUnavailable: the address cannot be listened on; the message names
  // it. kInvalidArgument: a file of endpoint.tls cannot be used.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const config::v1::Endpoint& endpoint,
                                                           const std::vector<grpc::Service*>& services,
                                                           const std::shared_ptr<prometheus::Registry>& registry);

  // Shutdown(now), where it has not happened.
  ~GrpcServer();

  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // "127.0.0.1:5011", a target for MakeChannel().
  const std::string& address() const { return address_; }

  // Health turns NOT_SERVING, no new call is taken, calls under way may finish until `deadline` and are cancelled then.
  // Returns when none is left. Once.
  void Shutdown(absl::Time deadline);

 private:
  GrpcServer(std::string address, std::unique_ptr<PeerCertificates> certificates, std::unique_ptr<grpc::Server> server);

  const std::string address_;
  const std::unique_ptr<PeerCertificates> certificates_;  // Null without TLS.
  std::unique_ptr<grpc::Server> server_;                  // Null after Shutdown().
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_SERVER_H_
