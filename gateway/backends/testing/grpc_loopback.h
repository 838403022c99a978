#ifndef ENTREPOT_GATEWAY_BACKENDS_TESTING_GRPC_LOOPBACK_H_
#define ENTREPOT_GATEWAY_BACKENDS_TESTING_GRPC_LOOPBACK_H_

#include <memory>
#include <string>

#include "grpcpp/impl/codegen/service_type.h"
#include "prometheus/registry.h"
#include "services/runtime/grpc/grpc_server.h"
#include "services/runtime/grpc/service_replicas.h"

namespace entrepot::gateway {

// Serves a gRPC service in this process through a socket.
class GrpcLoopback {
 public:
  // `service` must outlive it.
  explicit GrpcLoopback(grpc::Service* service) {
    config::v1::Endpoint endpoint;
    endpoint.set_address("127.0.0.1");
    server_ = runtime::GrpcServer::Start(endpoint, {service}, registry_).value();
  }

  const std::string& address() const { return server_->address(); }
  std::shared_ptr<runtime::ServiceReplicas> Connect() {
    config::v1::Service service;
    service.set_target(address());
    return runtime::ServiceReplicas::Connect(service, registry_);
  }

 private:
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<runtime::GrpcServer> server_;
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_TESTING_GRPC_LOOPBACK_H_
