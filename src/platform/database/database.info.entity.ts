import { Column, Entity, PrimaryColumn } from 'typeorm';

/** What the database says about itself, in one row. Versions are numbers of migrations: of the newest that a hub knows. */
@Entity('database_info')
export class DatabaseInfo {
  @PrimaryColumn('bigint')
  id!: number;

  @Column('bigint')
  schemaVersion!: number;

  /** The oldest version of a hub that may use the schema. */
  @Column('bigint')
  oldestHub!: number;

  /** Rooms begin after this number. `npm run restored` raises it. */
  @Column('bigint')
  roomFloor!: number;
}
