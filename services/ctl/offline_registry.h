#ifndef ENTREPOT_SERVICES_CTL_OFFLINE_REGISTRY_H_
#define ENTREPOT_SERVICES_CTL_OFFLINE_REGISTRY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::ctl {

// Where a registry keeps what it stores: in one directory, or, where its services are processes of their own, in one of
// the manifest service and one of the blob service, and with accounts one of the auth service.
struct RegistryDirectories {
  std::string manifest;
  std::string blobs;
  std::string accounts = {};  // May be empty.

  bool standalone() const { return manifest == blobs; }
};

// Checks a registry that does not run. The stores are opened as its own processes open them, which may finish what a
// crash has cut off in them; the content stays as it is. kFailedPrecondition: a registry runs on it, or there is none.
absl::StatusOr<manifest::v1::InvariantReport> CheckOffline(const RegistryDirectories& directories, bool rehash,
                                                           const Pace& pace);

// Reads the auth service's records. kFailedPrecondition as above, kDataLoss.
absl::Status CheckAccountsOffline(const std::string& directory);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OFFLINE_REGISTRY_H_
