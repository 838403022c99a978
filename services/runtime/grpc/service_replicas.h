#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_REPLICAS_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_REPLICAS_H_

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/shared.pb.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "prometheus/gauge.h"
#include "prometheus/registry.h"
#include "services/runtime/grpc/grpc_channel.h"
#include "services/runtime/grpc/replica.h"
#include "services/runtime/grpc/replica_rotation.h"
#include "services/runtime/grpc/service_target.h"
#include "services/runtime/threads/periodic_task.h"

namespace entrepot::runtime {

// The replicas of one service, with a channel to each (grpc_channel.h). Each call goes to one of them, which
// ReplicaRotation chooses. If the target has more than one address, or a name, each replica is probed once a second
// (grpc.health.v1), and names are resolved every five seconds, or a second after a call was lost. If a name cannot be
// resolved, its addresses stay. One that was never resolved is one replica, whose name gRPC resolves itself. Metric:
//   entrepot_grpc_client_replicas{target,state}, state "serving", "ejected" or "all"
// Thread-safe.
class ServiceReplicas {
 public:
  // Of one name. Further addresses are not used, which is logged.
  static constexpr size_t kAddressesMax = 64;

  struct Options {
    HostResolver resolve = ResolveBySystem;
    absl::Duration probe_interval = absl::Seconds(1);
    // How long a probe waits for a response.
    absl::Duration probe_patience = absl::Seconds(1);
    absl::Duration resolve_interval = absl::Seconds(5);
    // How long after a lost call a name is resolved again.
    absl::Duration resolve_soon = absl::Seconds(1);
  };

  static std::shared_ptr<ServiceReplicas> Connect(const config::v1::Service& service,
                                                  const std::shared_ptr<prometheus::Registry>& registry,
                                                  const Options& options);
  static std::shared_ptr<ServiceReplicas> Connect(const config::v1::Service& service,
                                                  const std::shared_ptr<prometheus::Registry>& registry) {
    return Connect(service, registry, Options());
  }
  // Waits for a look-up of a name that is under way.
  ~ServiceReplicas();

  ServiceReplicas(const ServiceReplicas&) = delete;
  ServiceReplicas& operator=(const ServiceReplicas&) = delete;

  // OK if a replica reports that it is ready, for CheckReady(), or can write, for CheckWritable(): see
  // channel_readiness.h.
  absl::Status CheckReady() const;
  absl::Status CheckWritable() const;

 private:
  friend class ReplicaCall;

  using Time = ReplicaRotation::Time;

  ServiceReplicas(const config::v1::Service& service, const std::shared_ptr<prometheus::Registry>& registry,
                  const Options& options);

  void Start();
  absl::Status CheckAny(absl::Status (*check)(const std::shared_ptr<grpc::Channel>&)) const;
  void ReportCall(const Replica& replica, CallOutcome outcome);
  void ResolveIfDue();
  void Resolve();
  std::vector<std::string> TargetsOf(const TargetPart& part);
  void UseTargets(const std::vector<std::pair<std::string, std::string>>& targets_and_hosts);
  void ProbeAll();
  void Probe(const std::shared_ptr<Replica>& replica);
  void HandleProbe(const std::shared_ptr<Replica>& replica, const grpc::Status& status, bool serving);
  void ShowCounts();

  const std::string target_;
  const std::vector<TargetPart> parts_;
  const bool has_name_;  // Whether a part is a name.
  const bool chooses_;   // Whether there can be more than one replica.
  const Options options_;
  const ChannelFactory channels_;
  ReplicaRotation rotation_;
  prometheus::Gauge* serving_;
  prometheus::Gauge* ejected_;
  prometheus::Gauge* all_;

  // Used by the thread of resolver_ only.
  absl::flat_hash_map<std::string, std::vector<std::string>> resolved_;  // By the text of the part.
  Time resolve_at_ = Time::min();
  std::atomic<bool> resolve_soon_ = false;

  absl::Mutex mutex_;
  absl::flat_hash_map<const Replica*, std::shared_ptr<grpc::ClientContext>> probes_ ABSL_GUARDED_BY(mutex_);

  std::unique_ptr<PeriodicTask> prober_;    // Null without chooses_.
  std::unique_ptr<PeriodicTask> resolver_;  // Null without has_name_.
};

// One call to a replica, from its choice to its end. Used by one thread at a time.
class ReplicaCall {
 public:
  // Chooses the replica. `replicas` must outlive this.
  explicit ReplicaCall(ServiceReplicas& replicas);
  // Without End(), the call counts for nothing.
  ~ReplicaCall();

  ReplicaCall(const ReplicaCall&) = delete;
  ReplicaCall& operator=(const ReplicaCall&) = delete;

  template <typename Service>
  typename Service::StubInterface& stub() const {
    return replica_->Stub<Service>();
  }

  const std::string& target() const { return replica_->target(); }

  // Cancels the call if its replica is silent while another one serves, so that it can be made again. Not for calls
  // that are dear to begin again.
  void GiveUpIfSilent(std::weak_ptr<grpc::ClientContext> context);

  // Takes the status with which the call ended, and returns the one for the caller, which differs for a call that was
  // given up: UNAVAILABLE without details, so that GrpcRetryPolicy repeats it.
  grpc::Status End(const grpc::Status& status);

 private:
  ServiceReplicas& replicas_;
  const std::shared_ptr<Replica> replica_;
  bool listed_ = false;  // Among the replica's calls.
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_SERVICE_REPLICAS_H_
