// What `trimtab doctor` was asked, as commander hands it over.

export interface DoctorFlags {
  readonly api?: string;
  readonly network?: string;
  readonly json?: boolean;
}
