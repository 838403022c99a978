#include "services/runtime/grpc/grpc_server.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"
#include "services/core/text/host_and_port.h"
#include "services/runtime/grpc/grpc_credentials.h"
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
  // Otherwise a second process could share the port and receive half of the calls, without an error.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kGrpcStreamWindowBytes);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kGrpcFrameBytes);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kGrpcKeepaliveMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kGrpcKeepaliveTimeoutMilliseconds);
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kGrpcPingIntervalMinMilliseconds);
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
  EnableHealthAndReflection();
  grpc::ServerBuilder builder;
  const std::string wanted = HostAndPort(endpoint.address(), endpoint.port());
  int port = 0;
  std::unique_ptr<PeerCertificates> certificates;
  if (endpoint.has_tls()) {
    ASSIGN_OR_RETURN(certificates, PeerCertificates::Create(endpoint.tls(), registry));
  }
  builder.AddListeningPort(wanted, Credentials(endpoint, certificates.get()), &port);
  SetTransport(&builder);
  SetThreads(&builder);
  AddInterceptors(registry, &builder);
  for (grpc::Service* service : services) builder.RegisterService(service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || port == 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", wanted, " for gRPC; is the port in use?"));
  }
  return std::unique_ptr<GrpcServer>(new GrpcServer(HostAndPort(endpoint.address(), static_cast<uint32_t>(port)),
                                                    std::move(certificates), std::move(server)));
}

GrpcServer::GrpcServer(std::string address, std::unique_ptr<PeerCertificates> certificates,
                       std::unique_ptr<grpc::Server> server)
    : address_(std::move(address)), certificates_(std::move(certificates)), server_(std::move(server)) {}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Shutdown(absl::Now());
}

void GrpcServer::ShowReadiness(bool pulls, bool pushes) {
  grpc::HealthCheckServiceInterface* const health = server_->GetHealthCheckService();
  health->SetServingStatus(pulls);
  health->SetServingStatus(std::string(kPushHealthService), pushes);
}

void GrpcServer::Shutdown(absl::Time deadline) {
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(absl::ToChronoTime(deadline));
  server_->Wait();
  server_ = nullptr;
}

}  // namespace entrepot::runtime
