#ifndef ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_
#define ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "services/runtime/config/config_checks.h"

// Checks that several parts of a policy file use. `field` is the path of a field in the file.
namespace entrepot::policy {

using RepeatedText = google::protobuf::RepeatedPtrField<std::string>;

// Calls `check` with each item and its field: "rules[2]".
template <typename List, typename Check>
void EachOf(const std::string& field, const List& list, Check check) {
  int i = 0;
  for (const auto& item : list) check(absl::StrCat(field, "[", i++, "]"), item);
}

void CheckNotEmpty(const std::string& field, bool empty, runtime::ConfigProblems* problems);
// The name of a group or an identity provider, which subjects refer to.
void CheckIdentifier(const std::string& field, const std::string& name, runtime::ConfigProblems* problems);
// The name of a rule, which only messages show. May be empty.
void CheckDescription(const std::string& field, const std::string& name, runtime::ConfigProblems* problems);
// The account of a user, a robot or a workload identity.
void CheckAccount(const std::string& field, const std::string& account, runtime::ConfigProblems* problems);
void CheckRepositories(const std::string& field, const RepeatedText& patterns, runtime::ConfigProblems* problems);
// A pattern of tags (core/text/glob.h). It must be able to match a tag.
void CheckTagPattern(const std::string& field, const std::string& pattern, runtime::ConfigProblems* problems);
void CheckActions(const std::string& field, const RepeatedText& actions, runtime::ConfigProblems* problems);

// Finds names that a list contains twice.
class UniqueNames {
 public:
  // `what` the names belong to: "group".
  UniqueNames(std::string what, runtime::ConfigProblems* problems) : what_(std::move(what)), problems_(*problems) {}

  // Empty names may occur more than once.
  void Add(const std::string& field, const std::string& name);

 private:
  const std::string what_;
  runtime::ConfigProblems& problems_;
  absl::flat_hash_map<std::string, std::string> fields_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_NAME_CHECKS_H_
