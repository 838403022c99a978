#include "services/runtime/grpc/grpc_channel.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "services/runtime/grpc/grpc_callback_threads.h"
#include "services/runtime/grpc/grpc_credentials.h"
#include "services/runtime/grpc/grpc_interceptors.h"
#include "services/runtime/grpc/grpc_transport.h"
#include "services/runtime/grpc/peer_certificates.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::runtime {
namespace {

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kGrpcMessageBytesMax);
  arguments.SetMaxSendMessageSize(kGrpcMessageBytesMax);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, kGrpcStreamWindowBytes);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, kGrpcFrameBytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kGrpcKeepaliveMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kGrpcKeepaliveTimeoutMilliseconds);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Each channel has a connection of its own. By default all channels of the process to a target share one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // The timeout of one attempt to connect.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);
  // Uses the addresses of a name in turn, and resolves the name again soon after a connection is lost: a replaced
  // replica has a new address.
  arguments.SetLoadBalancingPolicyName("round_robin");
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // A proxy of the environment is for external servers, not for the registry's own processes.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

// A channel and the certificates that its credentials use.
struct PeerChannel {
  std::shared_ptr<PeerCertificates> certificates;
  std::shared_ptr<grpc::Channel> channel;
};

// gRPC compares the server's certificate with this name, and logs an error if they differ. Empty for the target's host.
std::string ExpectedHost(const config::v1::Service& service, const std::string& host) {
  for (const std::string& peer : service.tls().peers()) {
    if (!absl::StrContains(peer, "/")) return peer;
  }
  return service.tls().peers().empty() ? host : "";
}

}  // namespace

ChannelFactory::ChannelFactory(const config::v1::Service& service, std::shared_ptr<prometheus::Registry> registry)
    : service_(service), registry_(std::move(registry)) {
  SendGrpcLogToJsonLog();
  KeepGrpcCallbackThreads();
  if (!service_.has_tls()) return;
  absl::StatusOr<std::unique_ptr<PeerCertificates>> certificates = PeerCertificates::Create(service_.tls(), registry_);
  if (certificates.ok()) {
    certificates_ = *std::move(certificates);
  } else {
    Log(LogLevel::kError, "no connection to a service",
        {{"target", service_.target()}, {"error", certificates.status().message()}});
  }
}

std::shared_ptr<grpc::Channel> ChannelFactory::Make(const std::string& target, const std::string& host) const {
  std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> factories;
  factories.push_back(MakeClientInterceptorFactory(registry_));
  grpc::ChannelArguments arguments = Arguments();
  // A channel with null credentials fails all calls.
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  if (!service_.has_tls()) {
    credentials = grpc::InsecureChannelCredentials();
  } else if (certificates_ != nullptr) {
    credentials =
        MakePeerChannelCredentials(*certificates_, {service_.tls().peers().begin(), service_.tls().peers().end()});
    if (const std::string expected = ExpectedHost(service_, host); !expected.empty()) {
      arguments.SetSslTargetNameOverride(expected);
    }
  }
  auto peer = std::make_shared<PeerChannel>();
  peer->certificates = certificates_;
  peer->channel =
      grpc::experimental::CreateCustomChannelWithInterceptors(target, credentials, arguments, std::move(factories));
  return {peer, peer->channel.get()};
}

std::shared_ptr<grpc::Channel> MakeChannel(const config::v1::Service& service,
                                           const std::shared_ptr<prometheus::Registry>& registry) {
  return ChannelFactory(service, registry).Make(service.target(), "");
}

}  // namespace entrepot::runtime
