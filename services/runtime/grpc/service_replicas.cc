#include "services/runtime/grpc/service_replicas.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "prometheus/family.h"
#include "services/runtime/grpc/channel_readiness.h"
#include "services/runtime/grpc/health_probe.h"
#include "services/runtime/log/limited_log.h"

namespace entrepot::runtime {
namespace {

using std::chrono::steady_clock;

// A readiness check asks so many replicas at most, each of which may take most of a second.
constexpr size_t kCheckedMax = 3;

// A status of the service itself has details (services/status/grpc_status.h); gRPC's own has none.
CallOutcome OutcomeOf(const grpc::Status& status) {
  if (status.ok() || !status.error_details().empty()) return CallOutcome::kAnswered;
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return CallOutcome::kLost;
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return CallOutcome::kLate;
    case grpc::StatusCode::CANCELLED:
      return CallOutcome::kIndifferent;
    default:
      return CallOutcome::kAnswered;
  }
}

ReplicaHealth HealthOf(const grpc::Status& status, bool serving) {
  if (status.ok()) return serving ? ReplicaHealth::kServing : ReplicaHealth::kNotServing;
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED) return ReplicaHealth::kSilent;
  return ReplicaHealth::kUnreachable;
}

}  // namespace

std::shared_ptr<ServiceReplicas> ServiceReplicas::Connect(const config::v1::Service& service,
                                                          const std::shared_ptr<prometheus::Registry>& registry,
                                                          const Options& options) {
  std::shared_ptr<ServiceReplicas> replicas(new ServiceReplicas(service, registry, options));
  replicas->Start();
  return replicas;
}

ServiceReplicas::ServiceReplicas(const config::v1::Service& service,
                                 const std::shared_ptr<prometheus::Registry>& registry, const Options& options)
    : target_(service.target()),
      parts_(SplitTarget(service.target())),
      has_name_(absl::c_any_of(parts_, [](const TargetPart& part) { return part.is_name; })),
      chooses_(has_name_ || parts_.size() > 1),
      options_(options),
      channels_(service, registry) {
  prometheus::Family<prometheus::Gauge>& family = prometheus::BuildGauge()
                                                      .Name("entrepot_grpc_client_replicas")
                                                      .Help("Replicas of a service that is called")
                                                      .Register(*registry);
  serving_ = &family.Add({{"target", target_}, {"state", "serving"}});
  ejected_ = &family.Add({{"target", target_}, {"state", "ejected"}});
  all_ = &family.Add({{"target", target_}, {"state", "all"}});
}

void ServiceReplicas::Start() {
  std::vector<std::pair<std::string, std::string>> targets;
  for (const TargetPart& part : parts_) targets.emplace_back(part.text, "");
  UseTargets(targets);
  if (chooses_) prober_ = std::make_unique<PeriodicTask>(options_.probe_interval, [this] { ProbeAll(); });
  if (!has_name_) return;
  // Looks often whether a look-up is due.
  const absl::Duration tick = std::min(options_.resolve_soon, options_.resolve_interval);
  resolver_ = std::make_unique<PeriodicTask>(tick, [this] { ResolveIfDue(); });
}

ServiceReplicas::~ServiceReplicas() {
  resolver_.reset();
  prober_.reset();
  std::vector<std::shared_ptr<grpc::ClientContext>> probes;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [replica, context] : probes_) probes.push_back(context);
  }
  for (const std::shared_ptr<grpc::ClientContext>& context : probes) context->TryCancel();
  const absl::MutexLock lock(&mutex_);
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return probes_.empty(); };
  mutex_.Await(absl::Condition(&none));
}

absl::Status ServiceReplicas::CheckReady() const { return CheckAny(&CheckChannelReady); }
absl::Status ServiceReplicas::CheckWritable() const { return CheckAny(&CheckChannelWritable); }

absl::Status ServiceReplicas::CheckAny(absl::Status (*check)(const std::shared_ptr<grpc::Channel>&)) const {
  std::vector<std::shared_ptr<Replica>> replicas = rotation_.Serving(steady_clock::now());
  if (replicas.empty()) replicas = rotation_.replicas();
  replicas.resize(std::min(replicas.size(), kCheckedMax));
  absl::Status status = absl::UnavailableError("no replica");
  for (const std::shared_ptr<Replica>& replica : replicas) {
    status = check(replica->channel());
    if (status.ok()) break;
  }
  return status;
}

void ServiceReplicas::ReportCall(const Replica& replica, CallOutcome outcome) {
  // A single replica gets all calls, whatever their outcome.
  if (!chooses_) return;
  if (outcome == CallOutcome::kLost) resolve_soon_ = true;
  if (!rotation_.ReportCall(replica, outcome, steady_clock::now())) return;
  LogLimited(LogLevel::kWarning, "a replica gets no calls for a while, because its last ones failed", replica.target(),
             {{"target", target_}, {"replica", replica.target()}});
}

void ServiceReplicas::ResolveIfDue() {
  const Time now = steady_clock::now();
  if (!resolve_soon_.exchange(false) && now < resolve_at_) return;
  Resolve();
  resolve_at_ = now + absl::ToChronoNanoseconds(options_.resolve_interval);
}

void ServiceReplicas::Resolve() {
  std::vector<std::pair<std::string, std::string>> targets;
  for (const TargetPart& part : parts_) {
    for (std::string& target : TargetsOf(part)) targets.emplace_back(std::move(target), part.is_name ? part.host : "");
  }
  UseTargets(targets);
}

std::vector<std::string> ServiceReplicas::TargetsOf(const TargetPart& part) {
  if (!part.is_name) return {part.text};
  std::vector<std::string>& known = resolved_[part.text];
  const absl::StatusOr<std::vector<std::string>> addresses = options_.resolve(part.host);
  if (!addresses.ok() || addresses->empty()) {
    LogLimited(LogLevel::kWarning, "cannot resolve the name of a service", part.text,
               {{"target", target_}, {"error", addresses.ok() ? "no address" : addresses.status().message()}});
  } else {
    known.clear();
    for (const std::string& address : *addresses) {
      if (known.size() == kAddressesMax) {
        LogLimited(LogLevel::kWarning, "a service's name has more addresses than are used", part.text,
                   {{"target", target_}, {"addresses", addresses->size()}, {"used", kAddressesMax}});
        break;
      }
      known.push_back(AddressTarget(address, part.port));
    }
  }
  if (known.empty()) return {part.text};
  return known;
}

void ServiceReplicas::UseTargets(const std::vector<std::pair<std::string, std::string>>& targets_and_hosts) {
  const std::vector<std::shared_ptr<Replica>> before = rotation_.replicas();
  std::vector<std::shared_ptr<Replica>> replicas;
  bool changed = false;
  for (const auto& [target, host] : targets_and_hosts) {
    const auto has_target = [&target = target](const auto& replica) { return replica->target() == target; };
    if (absl::c_any_of(replicas, has_target)) continue;
    const auto known = absl::c_find_if(before, has_target);
    changed = changed || known == before.end();
    replicas.push_back(known != before.end() ? *known
                                             : std::make_shared<Replica>(target, channels_.Make(target, host)));
  }
  if (!changed && replicas.size() == before.size()) return;
  rotation_.Replace(replicas);
  chooses_ ? ProbeAll() : ShowCounts();
}

void ServiceReplicas::ProbeAll() {
  const std::vector<std::shared_ptr<Replica>> replicas = rotation_.replicas();
  for (const std::shared_ptr<Replica>& replica : replicas) Probe(replica);
  ShowCounts();
}

void ServiceReplicas::Probe(const std::shared_ptr<Replica>& replica) {
  const absl::MutexLock lock(&mutex_);
  const auto [entry, is_new] = probes_.try_emplace(replica.get());
  if (!is_new) return;
  entry->second = StartHealthProbe(replica->channel(), {.service = "", .patience = options_.probe_patience},
                                   [this, replica](const grpc::Status& status, bool serving) {
                                     HandleProbe(replica, status, serving);
                                     const absl::MutexLock lock(&mutex_);
                                     probes_.erase(replica.get());
                                   });
}

void ServiceReplicas::HandleProbe(const std::shared_ptr<Replica>& replica, const grpc::Status& status, bool serving) {
  if (status.error_code() == grpc::StatusCode::CANCELLED) return;
  const ReplicaHealth health = HealthOf(status, serving);
  const ReplicaRotation::Change change = rotation_.ReportHealth(*replica, health, steady_clock::now());
  if (health == ReplicaHealth::kUnreachable) resolve_soon_ = true;
  if (change.changed) {
    LogLimited(health == ReplicaHealth::kServing ? LogLevel::kInfo : LogLevel::kWarning,
               health == ReplicaHealth::kServing ? "a replica serves" : "a replica does not serve", replica->target(),
               {{"target", target_}, {"replica", replica->target()}, {"state", ToString(health)}});
  }
  if (change.give_up_calls) replica->GiveUpCalls();
}

void ServiceReplicas::ShowCounts() {
  const Time now = steady_clock::now();
  all_->Set(static_cast<double>(rotation_.replicas().size()));
  serving_->Set(static_cast<double>(rotation_.Serving(now).size()));
  ejected_->Set(static_cast<double>(rotation_.CountEjected(now)));
}

ReplicaCall::ReplicaCall(ServiceReplicas& replicas)
    : replicas_(replicas), replica_(replicas.rotation_.Next(steady_clock::now())) {
  replica_->CountCall();
}

ReplicaCall::~ReplicaCall() {
  if (listed_) replica_->Remove(this);
  replica_->CountEnd();
}

void ReplicaCall::GiveUpIfSilent(std::weak_ptr<grpc::ClientContext> context) {
  if (!replicas_.chooses_) return;
  replica_->Add(this, std::move(context));
  listed_ = true;
}

grpc::Status ReplicaCall::End(const grpc::Status& status) {
  const bool given_up =
      std::exchange(listed_, false) && replica_->Remove(this) && status.error_code() == grpc::StatusCode::CANCELLED;
  const grpc::Status outcome =
      given_up ? grpc::Status(grpc::StatusCode::UNAVAILABLE, absl::StrCat(replica_->target(), " does not respond"))
               : status;
  replicas_.ReportCall(*replica_, OutcomeOf(outcome));
  return outcome;
}

}  // namespace entrepot::runtime
