#include "services/manifest/records/catalog_locks.h"

#include "services/manifest/records/metadata_keys.h"

namespace entrepot::manifest {

CatalogLocks& CatalogLocks::Blob(const Digest& digest, kv::LockMode mode) {
  locks_.push_back({keys::Blob(digest), mode});
  return *this;
}

CatalogLocks& CatalogLocks::Link(const Digest& digest, const RepositoryName& repository, kv::LockMode mode) {
  locks_.push_back({keys::Link(digest, repository), mode});
  return *this;
}

CatalogLocks& CatalogLocks::Manifest(const RepositoryName& repository, const Digest& digest, kv::LockMode mode) {
  locks_.push_back({keys::Manifest(repository, digest), mode});
  return *this;
}

CatalogLocks& CatalogLocks::Tag(const RepositoryName& repository, const entrepot::Tag& tag, kv::LockMode mode) {
  locks_.push_back({keys::Tag(repository, tag), mode});
  return *this;
}

CatalogLocks& CatalogLocks::Object(const StorageKey& storage_key, kv::LockMode mode) {
  locks_.push_back({keys::DeleteIntent(storage_key), mode});
  return *this;
}

CatalogLocks& CatalogLocks::Repository(const RepositoryName& repository, kv::LockMode mode) {
  locks_.push_back({keys::Repository(repository), mode});
  return *this;
}

}  // namespace entrepot::manifest
