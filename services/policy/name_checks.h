#ifndef ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "services/runtime/config/config_checks.h"

// Checks that the parts of a policy file share. `field` is where in the file something stands.
namespace entrepot::policy {

using RepeatedText = google::protobuf::RepeatedPtrField<std::string>;

// Calls `check` with each item and its field: "rules[2]".
template <typename List, typename Check>
void EachOf(const std::string& field, const List& list, Check check) {
  int i = 0;
  for (const auto& item : list) check(absl::StrCat(field, "[", i++, "]"), item);
}

void CheckNotEmpty(const std::string& field, bool empty, runtime::ConfigProblems* problems);
// Of a group or an identity provider: what subjects name.
void CheckIdentifier(const std::string& field, const std::string& name, runtime::ConfigProblems* problems);
// For people; may be empty.
void CheckDescription(const std::string& field, const std::string& name, runtime::ConfigProblems* problems);
// Of a user, a robot or a workload identity.
void CheckAccount(const std::string& field, const std::string& account, runtime::ConfigProblems* problems);
void CheckRepositories(const std::string& field, const RepeatedText& patterns, runtime::ConfigProblems* problems);
// Of tags, as core/text/glob.h has patterns: that it could match one.
void CheckTagPattern(const std::string& field, const std::string& pattern, runtime::ConfigProblems* problems);
void CheckActions(const std::string& field, const RepeatedText& actions, runtime::ConfigProblems* problems);

// Finds the names of one list that are there twice.
class UniqueNames {
 public:
  // `what` they are the names of: "group".
  UniqueNames(std::string what, runtime::ConfigProblems* problems) : what_(std::move(what)), problems_(*problems) {}

  // Empty ones may be there more than once.
  void Add(const std::string& field, const std::string& name);

 private:
  const std::string what_;
  runtime::ConfigProblems& problems_;
  absl::flat_hash_map<std::string, std::string> fields_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_
