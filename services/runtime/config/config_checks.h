#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "entrepot/config/v1/shared.pb.h"
#include "google/protobuf/duration.pb.h"
#include "services/runtime/config/config_problems.h"

namespace entrepot::runtime {

// Each function checks one shared message after FillDefaults (config_defaults.h) and adds its problems. `field` is the
// path of the message in the configuration ("operator"). Files that the message names are read.

// The operator endpoint, which has no TLS.
void CheckEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems);
// A gRPC endpoint, with its TLS files and the peers that it serves, if it has TLS. Without TLS, an address that other
// machines reach is a warning.
void CheckGrpcEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems);

// Whether clients of the port must authenticate.
enum class Access { kAuthenticated, kOpen };
// The endpoint for clients, with its TLS files, if it has TLS. If access is open, an address that other machines reach
// is a problem, or, with allow_unauthenticated, a warning, as is a lack of names there. Passwords that cross the
// network in clear text are a warning, unless a proxy ends TLS; so are trusted proxies that include every client.
void CheckPublicEndpoint(absl::string_view field, const config::v1::PublicEndpoint& endpoint, Access access,
                         ConfigProblems* problems);
void CheckAuthentication(absl::string_view field, const config::v1::Authentication& authentication,
                         ConfigProblems* problems);
// Both files must be given, and readable by this process.
void CheckTls(absl::string_view field, const config::v1::TlsCertificate& tls, ConfigProblems* problems);
void CheckLimits(absl::string_view field, const config::v1::Limits& limits, ConfigProblems* problems);
void CheckCollector(absl::string_view field, const config::v1::Collector& collector, ConfigProblems* problems);
void CheckUploads(absl::string_view field, const config::v1::Uploads& uploads, ConfigProblems* problems);
// With the files that a database's settings name. An unencrypted connection to another machine is a warning.
void CheckRecordStore(absl::string_view field, const config::v1::RecordStore& records, ConfigProblems* problems);
// With the files that it names. An unencrypted connection to another machine is a warning.
void CheckObjectStorage(absl::string_view field, const config::v1::ObjectStorage& objects, ConfigProblems* problems);
void CheckLog(absl::string_view field, const config::v1::Log& log, ConfigProblems* problems);
// With its TLS files, if it has TLS.
void CheckService(absl::string_view field, const config::v1::Service& service, ConfigProblems* problems);
// Must be given. If it exists, it must be a directory.
void CheckDataDirectory(absl::string_view field, const std::string& directory, ConfigProblems* problems);
// Must be longer than 0.
void CheckDuration(absl::string_view field, const google::protobuf::Duration& duration, ConfigProblems* problems);
// From 0 to 5 minutes.
void CheckDrainDelay(absl::string_view field, const google::protobuf::Duration& delay, ConfigProblems* problems);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_
