#ifndef ENTREPOT_GATEWAY_API_REGISTRY_API_H_
#define ENTREPOT_GATEWAY_API_REGISTRY_API_H_

#include <memory>

#include "entrepot/config/v1/shared.pb.h"
#include "gateway/api/auth/key_set_cache.h"
#include "gateway/api/upstream/cached_repositories.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/backends/upstream_backend.h"
#include "gateway/http/handler.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// How a registry authenticates its callers.
struct RegistryAccounts {
  // nullptr: the registry has no accounts, and every caller may do everything.
  AuthBackend* auth = nullptr;
  // Receives denials and administrative commands; may be nullptr.
  runtime::AuditLog* audit = nullptr;
  // nullptr: the system clock.
  const Clock* clock = nullptr;
  KeySetCache::Options keys;
};

// The upstreams whose content a registry fetches and keeps.
struct RegistryUpstreams {
  // nullptr: there are none; `current` is not used.
  UpstreamBackend* backend = nullptr;
  CachedRepositories::Current current;
};

// The OCI distribution API (specification v1.1.1 and its main branch, section "Endpoints") over the backends. The
// backends and what `accounts` and `upstreams` point to must outlive it. With accounts, every request needs a bearer
// token with the permission of its method and route (request/route_table.h), and the routes with
// Presence::kWithAccounts exist: /token, /.well-known/jwks.json and routes for entrepotctl. `listen` is checked
// (runtime/config/config_checks.h).
//
// With upstreams, a request may be for a repository that caches one (upstream/cached_repositories.h): access, policy,
// the audit log and handlers see the name of the cached repository. It can be read and deleted from, not pushed to.
std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::PublicEndpoint& listen,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry,
                                               const RegistryAccounts& accounts = {},
                                               const RegistryUpstreams& upstreams = {});

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REGISTRY_API_H_
