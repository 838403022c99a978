#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/caller.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

// What a repository's own record says. A repository that is deleted keeps its record: whoever was allowed to use it
// then is not for that reason allowed to use what is made under its name later.
namespace entrepot::manifest {

absl::StatusOr<std::optional<storage::v1::RepositoryRecord>> ReadRepository(kv::KvReader& kv,
                                                                            const RepositoryName& repository);

// Whether something was pushed to it since it was deleted last, if it ever was.
bool IsThere(const std::optional<storage::v1::RepositoryRecord>& record);

// UNAUTHORIZED where the caller's token is from before the repository was deleted.
absl::Status CheckToken(const Caller& caller, const RepositoryName& repository,
                        const std::optional<storage::v1::RepositoryRecord>& record);
// Besides: NAME_UNKNOWN where it is deleted. One that there never was is no error.
absl::Status CheckVisible(const Caller& caller, const RepositoryName& repository,
                          const std::optional<storage::v1::RepositoryRecord>& record);

// NAME_UNKNOWN.
absl::Status UnknownRepository(const RepositoryName& repository);

// UNAVAILABLE: its content goes at the moment, or was about to when the process ended.
absl::Status BeingDeleted(const RepositoryName& repository);
bool IsBeingDeleted(const absl::Status& status);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_REPOSITORY_RECORD_H_
