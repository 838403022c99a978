#ifndef ENTREPOT_GATEWAY_API_ACCOUNT_ROUTES_H_
#define ENTREPOT_GATEWAY_API_ACCOUNT_ROUTES_H_

#include "gateway/api/admin/admin_handler.h"
#include "gateway/api/auth/key_set_cache.h"
#include "gateway/api/auth/key_set_handler.h"
#include "gateway/api/auth/token_handler.h"
#include "gateway/api/content/repository_handler.h"
#include "gateway/backends/auth_backend.h"
#include "gateway/backends/manifest_backend.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::gateway::api {

// The handlers of the routes that are there only where the registry has accounts.
struct AccountRoutes {
  // All must outlive it; `audit` may be nullptr.
  AccountRoutes(AuthBackend* auth, ManifestBackend* manifests, KeySetCache* keys, runtime::AuditLog* audit)
      : token(auth), key_set(keys), administer(auth), repository(manifests, audit) {}

  const TokenHandler token;
  const KeySetHandler key_set;
  const AdministerHandler administer;
  const RepositoryHandler repository;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ACCOUNT_ROUTES_H_
