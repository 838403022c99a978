#ifndef ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PULL_H_
#define ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PULL_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "entrepot/upstream/v1/management.pb.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/core/time/stop_signal.h"
#include "services/upstream/management/image_source.h"
#include "services/upstream/names/platform.h"
#include "services/upstream/store/cache_store.h"

namespace entrepot::upstream {

struct ImageToPull {
  // As it is here: "docker.io/library/nginx".
  RepositoryName repository;
  Reference reference;
  // Of an index, only these. Empty: all.
  std::vector<Platform> platforms;
};

// An image has at most so many manifests and blobs; the bound protects the memory.
inline constexpr size_t kPulledManifestsMax = 1000;
inline constexpr size_t kPulledBlobsMax = 10'000;
// Few, so that clients' fetches find free connections.
inline constexpr size_t kPulledAtOnce = 4;

// Makes the image, its manifests and its blobs be here, as a client's pull would: what is here is not fetched again.
// Calls `show` after each step with what is done so far. Errors: those of UpstreamCache, with the digest in the
// message; kUnavailable: the upstream could not confirm the tag; kNotFound: the image has none of a platform;
// kCancelled: `stop` is stopped. What was fetched until then stays.
absl::Status PullImage(const ImageToPull& image, ImageSource* images, CacheStore* store, StopSignal* stop,
                       const std::function<void(const v1::ImagePull& pull)>& show);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_MANAGEMENT_IMAGE_PULL_H_
