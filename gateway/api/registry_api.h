#ifndef ENTREPOT_GATEWAY_API_REGISTRY_API_H_
#define ENTREPOT_GATEWAY_API_REGISTRY_API_H_

#include <memory>
#include <string>

#include "entrepot/config/v1/shared.pb.h"
#include "gateway/api/auth/key_set_cache.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/blob_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "gateway/http/handler.h"
#include "prometheus/registry.h"
#include "services/core/time/clock.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// The accounts of a registry that has them.
struct RegistryAccounts {
  // nullptr: there are none, and whoever reaches the registry may do everything.
  AuthBackend* auth = nullptr;
  // listen.external_url.
  std::string external_url;
  // Where denials are written down; nullptr: nowhere.
  runtime::AuditLog* audit = nullptr;
  // nullptr: the machine's.
  const Clock* clock = nullptr;
  KeySetCache::Options keys;
};

// The OCI distribution API (specification v1.1.1 and its main branch, section "Endpoints") over the backends, which
// must outlive it, as must what `accounts` points to. With accounts every request needs a bearer token that grants what
// its method and route need (route_table.h), and there are /token, /.well-known/jwks.json and what entrepotctl uses.
std::unique_ptr<http::Handler> MakeRegistryApi(BlobBackend* blobs, ManifestBackend* manifests,
                                               const config::v1::Limits& limits,
                                               const std::shared_ptr<prometheus::Registry>& registry,
                                               const RegistryAccounts& accounts = {});

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REGISTRY_API_H_
