#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_MANAGEMENT_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_MANAGEMENT_H_

#include <functional>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/runtime/log/audit_log.h"
#include "services/upstream/client/http_upstream_registry.h"
#include "services/upstream/management/image_source.h"
#include "services/upstream/names/upstreams_file.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

// What entrepotctl does with upstreams (proto/entrepot/upstream/v1/management.proto), and the schedule `warm` of the
// upstreams file. Jobs run on threads of their own, and are remembered for a while after they ended. Thread-safe.
class UpstreamManagement {
 public:
  // All pointers outlive the object.
  struct Parts {
    const UpstreamsFile* upstreams = nullptr;
    // The UpstreamCache.
    ImageSource* images = nullptr;
    CacheStore* store = nullptr;
    const Clock* clock = nullptr;
    // Null: commands are not written to an audit log.
    runtime::AuditLog* audit = nullptr;
    // What was measured last of an upstream's caches; nullopt: nothing yet. Empty: never.
    std::function<std::optional<types::v1::CacheRoom>(absl::string_view upstream)> room = {};
    // If null, metrics are counted but not exported.
    std::shared_ptr<prometheus::Registry> registry = {};
    // For the tests of an upstream, which use connections of their own.
    MakeHop make_hop = outbound::HttpHop::Create;
  };
  static std::unique_ptr<UpstreamManagement> Create(Parts parts);
  // Stop(), and waits for the jobs to end.
  virtual ~UpstreamManagement() = default;

  // Returns soon: what takes long is a job. Errors: those of the messages; kInvalidArgument: the request has no
  // command, or one of its fields cannot be used; kCancelled after Stop(). The caller has checked that the account is
  // an administrator.
  virtual absl::StatusOr<v1::ManageUpstreamsResponse> Manage(const v1::ManageUpstreamsRequest& request) = 0;
  // Ends all jobs and the schedule soon. Does not wait. UpstreamCache::Stop() may come before or after it.
  virtual void Stop() = 0;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_UPSTREAM_MANAGEMENT_H_
