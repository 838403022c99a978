#include "services/policy/policy_checks.h"

#include <algorithm>
#include <functional>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/policy/identity_provider_checks.h"
#include "services/policy/incomplete_manifests.h"
#include "services/policy/name_checks.h"
#include "services/policy/repository_pattern.h"
#include "services/policy/rule.h"
#include "services/policy/subject.h"
#include "services/status/quoted_input.h"

namespace entrepot::policy {
namespace {

using config::v1::Policy;

class Checker {
 public:
  Checker(const Policy& file, runtime::ConfigProblems* problems) : file_(file), problems_(*problems) {
    for (const Policy::Group& group : file.groups()) groups_.insert(group.name());
  }

  void Check() {
    CheckAdministrators();
    CheckGroups();
    CheckRules();
    CheckTagRules("immutable_tags", file_.immutable_tags());
    CheckTagRules("create_only_tags", file_.create_only_tags());
    CheckIncompleteManifests();
    CheckIdentityProviders(file_, &problems_);
  }

 private:
  void CheckAdministrators() {
    EachOf("administrators", file_.administrators(), [this](const std::string& field, const std::string& subject) {
      if (subject != kAnyone && subject != kAuthenticated) return CheckSubject(field, subject);
      problems_.Add(field, absl::StrCat(QuotedInput(subject), " would allow every client to do everything"));
    });
  }

  void CheckGroups() {
    UniqueNames names("group", &problems_);
    EachOf("groups", file_.groups(), [&](const std::string& field, const Policy::Group& group) {
      CheckIdentifier(absl::StrCat(field, ".name"), group.name(), &problems_);
      names.Add(absl::StrCat(field, ".name"), group.name());
      UniqueNames members("member", &problems_);
      EachOf(absl::StrCat(field, ".members"), group.members(), [&](const std::string& at, const std::string& member) {
        CheckMember(at, member);
        members.Add(at, member);
      });
    });
  }

  void CheckMember(const std::string& field, const std::string& member) {
    if (IsMachine(member)) {
      problems_.Add(field,
                    absl::StrCat(QuotedInput(member),
                                 " has its own scopes and cannot be in a group; name it in the subjects of a rule"));
    } else if (absl::StartsWith(member, kGroupPrefix)) {
      problems_.Add(field, "a group's members are accounts, not groups");
    } else {
      CheckSubjectAccount(field, member);
    }
  }

  void CheckRules() {
    UniqueNames names("rule", &problems_);
    EachOf("rules", file_.rules(), [&](const std::string& field, const Policy::Rule& rule) {
      CheckDescription(absl::StrCat(field, ".name"), rule.name(), &problems_);
      names.Add(absl::StrCat(field, ".name"), rule.name());
      CheckSubjects(absl::StrCat(field, ".subjects"), rule.subjects());
      CheckRepositories(absl::StrCat(field, ".repositories"), rule.repositories(), &problems_);
      CheckActions(absl::StrCat(field, ".actions"), rule.actions(), &problems_);
    });
  }

  template <typename TagRules>
  void CheckTagRules(const std::string& list, const TagRules& rules) {
    UniqueNames names("rule", &problems_);
    EachOf(list, rules, [&](const std::string& field, const Policy::TagRule& rule) {
      CheckDescription(absl::StrCat(field, ".name"), rule.name(), &problems_);
      names.Add(absl::StrCat(field, ".name"), rule.name());
      const std::string subjects = absl::StrCat(field, ".subjects");
      if (list == "create_only_tags") {
        CheckSubjects(subjects, rule.subjects());
      } else if (!rule.subjects().empty()) {
        problems_.Add(subjects, "immutable_tags apply to all subjects; use create_only_tags for some subjects");
      }
      CheckRepositories(absl::StrCat(field, ".repositories"), rule.repositories(), &problems_);
      CheckNotEmpty(absl::StrCat(field, ".tags"), rule.tags().empty(), &problems_);
      EachOf(absl::StrCat(field, ".tags"), rule.tags(),
             [this](const std::string& at, const std::string& pattern) { CheckTagPattern(at, pattern, &problems_); });
    });
  }

  void CheckIncompleteManifests() {
    UniqueNames names("rule", &problems_);
    EachOf("incomplete_manifests", file_.incomplete_manifests(),
           [&](const std::string& field, const Policy::IncompleteManifestRule& rule) {
             CheckDescription(absl::StrCat(field, ".name"), rule.name(), &problems_);
             names.Add(absl::StrCat(field, ".name"), rule.name());
             CheckRepositories(absl::StrCat(field, ".repositories"), rule.repositories(), &problems_);
             CheckNotEmpty(absl::StrCat(field, ".allow"), rule.allow().empty(), &problems_);
             EachOf(absl::StrCat(field, ".allow"), rule.allow(), [&](const std::string& at, const std::string& name) {
               Tolerance tolerance;
               if (Allow(name, &tolerance)) return;
               problems_.Add(at, absl::StrCat(QuotedInput(name),
                                              " cannot be allowed; what can is absent_children, "
                                              "absent_layers and wrong_child_sizes"));
             });
           });
  }

  template <typename Subjects>
  void CheckSubjects(const std::string& field, const Subjects& subjects) {
    CheckNotEmpty(field, subjects.empty(), &problems_);
    EachOf(field, subjects, [this](const std::string& at, const std::string& subject) { CheckSubject(at, subject); });
  }

  void CheckSubject(const std::string& field, const std::string& subject) {
    if (subject == kAnyone || subject == kAuthenticated) return;
    absl::string_view group = subject;
    if (!absl::ConsumePrefix(&group, kGroupPrefix)) return CheckSubjectAccount(field, subject);
    if (groups_.contains(group) || problems_.IsUnreadable("groups")) return;
    problems_.Add(field, absl::StrCat("there is no group ", QuotedInput(group), "; add it to groups"));
  }

  void CheckSubjectAccount(const std::string& field, const std::string& account) {
    if (account == kAnyone || account == kAuthenticated) {
      problems_.Add(field, absl::StrCat(QuotedInput(account), " is not an account"));
      return;
    }
    CheckAccount(field, account, &problems_);
  }

  const Policy& file_;
  runtime::ConfigProblems& problems_;
  absl::flat_hash_set<std::string> groups_;
};

}  // namespace

void CheckPolicy(const config::v1::Policy& file, runtime::ConfigProblems* problems) { Checker(file, problems).Check(); }

}  // namespace entrepot::policy
