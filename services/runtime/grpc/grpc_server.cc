#include "services/runtime/grpc/grpc_server.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/grpc/grpc_callback_threads.h"
#include "services/runtime/grpc/grpc_credentials.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_interceptors.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/status/status_macros.h"

namespace entrepot::runtime {
namespace {

// Only reflection uses the synchronous API and its own threads. Everything else uses the callback API on gRPC's
// threads.
constexpr int kSyncThreadsMax = 4;

void SetTransport(grpc::ServerBuilder* builder) {
  builder->SetMaxReceiveMessageSize(kGrpcMessageBytesMax);
  builder->SetMaxSendMessageSize(kGrpcMessageBytesMax);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kGrpcStreamWindowBytes);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kGrpcFrameBytes);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kGrpcKeepaliveMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kGrpcKeepaliveTimeoutMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kGrpcPingIntervalMinMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kGrpcHandshakeMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kGrpcIdleMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kGrpcStreamsMax);
}

void SetThreads(grpc::ServerBuilder* builder) {
  builder->SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::NUM_CQS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MIN_POLLERS, 1);
  builder->SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
  grpc::ResourceQuota quota("entrepot");
  quota.SetMaxThreads(kSyncThreadsMax);
  builder->SetResourceQuota(quota);
}

void AddInterceptors(const std::shared_ptr<prometheus::Registry>& registry, grpc::ServerBuilder* builder) {
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> factories;
  factories.push_back(MakeServerInterceptorFactory(registry));
  builder->experimental().SetInterceptorCreators(std::move(factories));
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const config::v1::Endpoint& endpoint,
                                                     const PeerCertificates* certificates) {
  if (certificates == nullptr) return grpc::InsecureServerCredentials();
  return MakePeerServerCredentials(*certificates, {endpoint.tls().peers().begin(), endpoint.tls().peers().end()});
}

// Both plugins apply to every server of the process that is built afterwards.
void EnableHealthAndReflection() {
  static const bool once = [] {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  (void)once;
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const config::v1::Endpoint& endpoint,
                                                              const std::vector<grpc::Service*>& services,
                                                              const std::shared_ptr<prometheus::Registry>& registry) {
  SendGrpcLogToJsonLog();
  KeepGrpcCallbackThreads();
  EnableHealthAndReflection();
  std::unique_ptr<PeerCertificates> certificates;
  if (endpoint.has_tls()) {
    ASSIGN_OR_RETURN(certificates, PeerCertificates::Create(endpoint.tls(), registry));
  }
  const size_t connections_max = endpoint.connections_max() != 0 ? endpoint.connections_max() : SIZE_MAX;
  ASSIGN_OR_RETURN(std::unique_ptr<ConnectionAcceptor> acceptor,
                   ConnectionAcceptor::Create(endpoint.address(), static_cast<uint16_t>(endpoint.port()),
                                              connections_max, registry));
  const std::string address = HostAndPort(endpoint.address(), acceptor->port());
  grpc::ServerBuilder builder;
  std::shared_ptr<grpc::experimental::ExternalConnectionAcceptor> connections =
      builder.experimental().AddExternalConnectionAcceptor(
          grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
          Credentials(endpoint, certificates.get()));
  SetTransport(&builder);
  SetThreads(&builder);
  AddInterceptors(registry, &builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return absl::UnavailableError(absl::StrCat("cannot serve gRPC on ", address));
  acceptor->Run([connections = std::move(connections)](OwnedFd fd) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.fd = fd.release();
    connections->HandleNewConnection(&connection);
  });
  return std::unique_ptr<GrpcServer>(
      new GrpcServer(address, std::move(certificates), std::move(server), std::move(acceptor)));
}

GrpcServer::GrpcServer(std::string address, std::unique_ptr<PeerCertificates> certificates,
                       std::unique_ptr<grpc::Server> server, std::unique_ptr<ConnectionAcceptor> acceptor)
    : address_(std::move(address)),
      certificates_(std::move(certificates)),
      server_(std::move(server)),
      acceptor_(std::move(acceptor)) {}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Shutdown(Deadline::Passed());
}

void GrpcServer::ShowReadiness(bool pulls, bool pushes) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  health->SetServingStatus(pulls);
  health->SetServingStatus(std::string(kPushHealthService), pushes);
}

void GrpcServer::Shutdown(Deadline deadline) {
  server_->GetHealthCheckService()->Shutdown();
  // A server that is shut down would leave further connections open, and unused.
  acceptor_->Stop();
  server_->Shutdown(GrpcDeadline(deadline.Left()).moment());
  server_->Wait();
  server_ = nullptr;
}

}  // namespace entrepot::runtime
