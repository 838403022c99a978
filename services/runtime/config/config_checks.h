#ifndef ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_
#define ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/authentication.pb.h"
#include "entrepot/config/v1/shared.pb.h"
#include "google/protobuf/duration.pb.h"

namespace entrepot::runtime {

// Everything that is wrong with a configuration, so that it can be mended in one go, and what is unwise.
class ConfigProblems {
 public:
  // `field` is the field's path ("limits.idle_timeout"), `problem` what is wrong ("must be longer than 0").
  void Add(absl::string_view field, absl::string_view problem);
  // Each line of the message of what is wrong with a file that the field names.
  void AddLines(absl::string_view field, const absl::Status& status);

  // What a configuration may say all the same: it is logged as a warning when the process starts.
  void Warn(absl::string_view field, absl::string_view warning);

  // Whether there is no problem; warnings are none.
  bool empty() const { return lines_.empty(); }
  // One line a problem: "limits.idle_timeout: must be longer than 0".
  const std::vector<std::string>& lines() const { return lines_; }
  // OK where there is no problem; else kInvalidArgument, a line for each of the first hundred, which begins with the
  // name of the file that they are in.
  absl::Status ToStatus(absl::string_view file_name) const;
  // In the same form.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> warnings_;
};

// Each checks one shared message after FillDefaults (config_defaults.h) and adds what it finds; `field` is where the
// message stands in the configuration ("operator"). Files that are named are read.

// Of the operator: without TLS.
void CheckEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems);
// With its TLS files and the peers that are served, where it has them; a warning where other machines reach it without.
void CheckGrpcEndpoint(absl::string_view field, const config::v1::Endpoint& endpoint, ConfigProblems* problems);

// Whether whoever reaches the port must show who they are.
enum class Access { kAuthenticated, kOpen };
// With its TLS files, where it has them. An address that other machines reach is a problem when access is open, unless
// allow_unauthenticated makes it a warning; passwords that cross the network in clear are a warning.
void CheckPublicEndpoint(absl::string_view field, const config::v1::PublicEndpoint& endpoint, Access access,
                         ConfigProblems* problems);
void CheckAuthentication(absl::string_view field, const config::v1::Authentication& authentication,
                         ConfigProblems* problems);
// Both files given and readable by this process.
void CheckTls(absl::string_view field, const config::v1::TlsCertificate& tls, ConfigProblems* problems);
void CheckLimits(absl::string_view field, const config::v1::Limits& limits, ConfigProblems* problems);
void CheckCollector(absl::string_view field, const config::v1::Collector& collector, ConfigProblems* problems);
void CheckUploads(absl::string_view field, const config::v1::Uploads& uploads, ConfigProblems* problems);
void CheckLog(absl::string_view field, const config::v1::Log& log, ConfigProblems* problems);
// With its TLS files, where it has them.
void CheckService(absl::string_view field, const config::v1::Service& service, ConfigProblems* problems);
// Given, and not an existing file that is no directory.
void CheckDataDirectory(absl::string_view field, const std::string& directory, ConfigProblems* problems);
// Longer than 0.
void CheckDuration(absl::string_view field, const google::protobuf::Duration& duration, ConfigProblems* problems);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_CONFIG_CONFIG_CHECKS_H_
