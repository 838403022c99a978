#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_

#include <memory>
#include <string>

#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/channel.h"
#include "prometheus/registry.h"
#include "services/runtime/grpc/peer_certificates.h"

namespace entrepot::runtime {

// Creates channels to the replicas of a service, with messages of up to kGrpcMessageBytesMax, keepalive, reconnection
// after at most a second (so that a restarted replica is found quickly), and client metrics:
//   entrepot_grpc_client_handled_total{method,code}, entrepot_grpc_client_handling_seconds{method}
// With service.tls, a channel connects only to a server with one of the names that it lists (grpc_credentials.h). If
// the files cannot be used, which CheckService() reports before, that is logged, and calls fail with UNAVAILABLE.
// Thread-safe.
class ChannelFactory {
 public:
  ChannelFactory(const config::v1::Service& service, std::shared_ptr<prometheus::Registry> registry);

  // A channel connects in the background: calls to a server that cannot be reached fail with UNAVAILABLE. The caller
  // sets the deadline of each call (service.deadline()). `host` is the name that the server's certificate must have if
  // service.tls lists no names; if empty, it is the host of `target`.
  std::shared_ptr<grpc::Channel> Make(const std::string& target, const std::string& host) const;

 private:
  const config::v1::Service service_;
  const std::shared_ptr<prometheus::Registry> registry_;
  // Without TLS null, as if the files cannot be used.
  std::shared_ptr<PeerCertificates> certificates_;
};

// The channel of such a factory to service.target(), which must be one address.
std::shared_ptr<grpc::Channel> MakeChannel(const config::v1::Service& service,
                                           const std::shared_ptr<prometheus::Registry>& registry);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_CHANNEL_H_
