#ifndef ENTREPOT_TESTS_SIMULATION_CONTENT_H_
#define ENTREPOT_TESTS_SIMULATION_CONTENT_H_

#include <string>
#include <vector>

#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"

namespace entrepot::simulation {

struct SomeBlob {
  Digest digest;
  std::string bytes;
};

struct SomeManifest {
  Digest digest;
  std::string content;
  std::string media_type;
  // Indexes in Content::blobs and Content::manifests.
  std::vector<size_t> blobs;
  std::vector<size_t> manifests;
};

// All content that is ever pushed. It is little, so that concurrent operations often conflict.
struct Content {
  std::vector<RepositoryName> repositories;
  std::vector<Tag> tags;
  std::vector<SomeBlob> blobs;
  std::vector<SomeManifest> manifests;
  // The policy file of all registries, and rules that some of them have besides.
  std::string policy;
  std::string immutable_tags;
  // Caches of this upstream: the repositories whose names begin with its name.
  std::string upstream;

  // The repository whose tags are immutable by these rules.
  static constexpr size_t kImmutableRepository = 0;

  static const Content& Get();
  const SomeBlob& BlobOf(const Digest& digest) const;
  // The others are caches, unless a client has pushed to them first.
  static constexpr size_t kHostedRepositories = 2;
  bool IsCache(size_t repository) const { return repository >= kHostedRepositories; }
  // Whether the policy lets layers and children be absent in the repository.
  bool MayBeIncomplete(size_t repository) const { return repository == 1; }
};

}  // namespace entrepot::simulation

#endif  // ENTREPOT_TESTS_SIMULATION_CONTENT_H_
