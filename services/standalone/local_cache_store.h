#ifndef ENTREPOT_SERVICES_STANDALONE_LOCAL_CACHE_STORE_H_
#define ENTREPOT_SERVICES_STANDALONE_LOCAL_CACHE_STORE_H_

#include <memory>

#include "services/blob/sessions/upload_sessions.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::standalone {

// CacheStore over the services' own classes in this process. They must outlive it and its writers.
std::unique_ptr<upstream::CacheStore> MakeLocalCacheStore(blob::UploadSessions* sessions,
                                                          manifest::RegistryCatalog* catalog,
                                                          manifest::Maintenance* maintenance);

}  // namespace entrepot::standalone

#endif  // ENTREPOT_SERVICES_STANDALONE_LOCAL_CACHE_STORE_H_
